import botocore.session
from botocore.stub import Stubber

session = botocore.session.get_session()
print(len(session.get_available_services()) > 200, session.get_available_regions("s3")[:2])
client = session.create_client("s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b")
with Stubber(client) as stub:
    stub.add_response("list_buckets", {"Buckets": [{"Name": "one"}]})
    print([each["Name"] for each in client.list_buckets()["Buckets"]])
print(client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"}).split("?")[0])
print(client.can_paginate("list_objects_v2"), client.get_waiter("bucket_exists").name)

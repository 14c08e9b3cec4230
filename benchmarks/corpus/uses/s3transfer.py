import io

import botocore.session
from botocore.stub import ANY, Stubber
from s3transfer.manager import TransferConfig, TransferManager

client = botocore.session.get_session().create_client(
    "s3", region_name="eu-west-1", aws_access_key_id="a", aws_secret_access_key="b"
)
with Stubber(client) as stub:
    stub.add_response("put_object", {"ETag": '"x"'}, {"Bucket": "b", "Key": "k", "Body": ANY, "ChecksumAlgorithm": ANY})
    with TransferManager(client, TransferConfig(multipart_threshold=2**20)) as manager:
        manager.upload(io.BytesIO(b"hello"), "b", "k").result()
    stub.assert_no_pending_responses()
print("sent")

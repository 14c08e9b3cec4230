import asyncio

from aiobotocore.session import get_session


async def main():
    session = get_session()
    options = {"region_name": "eu-west-1", "aws_access_key_id": "a", "aws_secret_access_key": "b"}
    async with session.create_client("sqs", endpoint_url="http://127.0.0.1:1", **options) as client:
        print(client.meta.service_model.service_name, client.meta.region_name)
    async with session.create_client("s3", **options) as client:
        url = await client.generate_presigned_url("get_object", {"Bucket": "b", "Key": "k"})
        print(url.split("?")[0])


asyncio.run(main())

import grpc
from google.rpc import code_pb2, error_details_pb2, status_pb2
from grpc_status import rpc_status

status = status_pb2.Status(code=code_pb2.NOT_FOUND, message="gone")
status.details.add().Pack(error_details_pb2.ErrorInfo(reason="R", domain="d"))
found = rpc_status.to_status(status)
print(found.code == grpc.StatusCode.NOT_FOUND, found.details, found.trailing_metadata[0][0])

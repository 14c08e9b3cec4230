from google.api import annotations_pb2, http_pb2
from google.longrunning import operations_proto_pb2
from google.protobuf import json_format
from google.rpc import error_details_pb2, status_pb2
from google.type import date_pb2, money_pb2

rule = http_pb2.HttpRule(get="/v1/{name=shelves/*}")
print(json_format.MessageToDict(rule), annotations_pb2.http.number, money_pb2.Money(units=3).units)
print(date_pb2.Date.FromString(date_pb2.Date(year=2024, month=2).SerializeToString()).month)
print(error_details_pb2.RetryInfo().DESCRIPTOR.full_name, status_pb2.Status(code=5).code)
print(operations_proto_pb2.Operation(name="x", done=True).done)

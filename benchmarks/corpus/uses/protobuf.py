from google.protobuf import descriptor_pb2, descriptor_pool, json_format, message_factory, struct_pb2, text_format
from google.protobuf.timestamp_pb2 import Timestamp

file = descriptor_pb2.FileDescriptorProto(name="a.proto", package="a", syntax="proto3")
kind = file.message_type.add(name="Point")
kind.field.add(name="x", number=1, type=5, label=1)
kind.field.add(name="names", number=2, type=9, label=3)
pool = descriptor_pool.DescriptorPool()
pool.Add(file)
Point = message_factory.GetMessageClass(pool.FindMessageTypeByName("a.Point"))
point = Point(x=3, names=["a", "b"])
print(Point.FromString(point.SerializeToString()) == point, json_format.MessageToDict(point))
print(text_format.MessageToString(point).split(), Timestamp(seconds=0).ToJsonString())
struct = struct_pb2.Struct()
struct.update({"a": [1, None]})
print(json_format.MessageToJson(struct, indent=None))

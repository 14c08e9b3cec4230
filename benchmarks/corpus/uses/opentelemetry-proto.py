from opentelemetry.proto.collector.trace.v1 import trace_service_pb2
from opentelemetry.proto.metrics.v1 import metrics_pb2
from opentelemetry.proto.trace.v1 import trace_pb2

span = trace_pb2.Span(name="s", kind=trace_pb2.Span.SPAN_KIND_SERVER)
request = trace_service_pb2.ExportTraceServiceRequest(
    resource_spans=[trace_pb2.ResourceSpans(scope_spans=[trace_pb2.ScopeSpans(spans=[span])])]
)
again = trace_service_pb2.ExportTraceServiceRequest.FromString(request.SerializeToString())
print(again.resource_spans[0].scope_spans[0].spans[0].name, metrics_pb2.Metric(name="m").name)

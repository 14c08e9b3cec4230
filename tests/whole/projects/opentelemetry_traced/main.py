import requests
from opentelemetry import propagate, trace
from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
from opentelemetry.instrumentation.requests import RequestsInstrumentor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

exporter = InMemorySpanExporter()
provider = TracerProvider(resource=Resource.create({"service.name": "traced"}))
provider.add_span_processor(SimpleSpanProcessor(exporter))
trace.set_tracer_provider(provider)
RequestsInstrumentor().instrument()
tracer = trace.get_tracer("traced")

with tracer.start_as_current_span("outer") as span:
    carrier: dict[str, str] = {}
    propagate.inject(carrier)
    print(sorted(carrier), propagate.get_global_textmap().fields == {"traceparent", "tracestate", "baggage"})
    try:
        requests.get("http://127.0.0.1:1/", timeout=1)
    except requests.ConnectionError:
        print("no server")
for each in exporter.get_finished_spans():
    print(each.name, each.resource.attributes["service.name"], each.status.status_code.name)
print(OTLPSpanExporter(endpoint="http://127.0.0.1:1/v1/traces")._endpoint)

"""A server for health checks; `ask` starts one, and asks it."""
import sys
from concurrent import futures

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc


def serve(address: str) -> tuple[grpc.Server, int]:
    server = grpc.server(futures.ThreadPoolExecutor(4))
    servicer = health.HealthServicer()
    servicer.set("shop", health_pb2.HealthCheckResponse.SERVING)
    health_pb2_grpc.add_HealthServicer_to_server(servicer, server)
    port = server.add_insecure_port(address)
    server.start()
    return server, port


def main() -> None:
    if sys.argv[1:] == ["ask"]:
        server, port = serve("127.0.0.1:0")
        with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
            stub = health_pb2_grpc.HealthStub(channel)
            print(stub.Check(health_pb2.HealthCheckRequest(service="shop"), timeout=10))
            try:
                stub.Check(health_pb2.HealthCheckRequest(service="other"), timeout=10)
            except grpc.RpcError as error:
                print(error.code())
        server.stop(None)
        return
    server, _ = serve("0.0.0.0:50051")
    server.wait_for_termination()


if __name__ == "__main__":
    main()

from concurrent import futures

import grpc
import grpc.aio


class Handler(grpc.GenericRpcHandler):
    def service(self, details):
        if details.method == "/echo/Say":
            return grpc.unary_unary_rpc_method_handler(lambda request, context: request.upper())
        return None


server = grpc.server(futures.ThreadPoolExecutor(2))
server.add_generic_rpc_handlers((Handler(),))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
    print(channel.unary_unary("/echo/Say")(b"hello", timeout=10))
    try:
        channel.unary_unary("/echo/No")(b"", timeout=10)
    except grpc.RpcError as error:
        print(error.code())
server.stop(None)
print(grpc.ssl_channel_credentials() is not None)

import asyncio
import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import httpx


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; charset=utf-8")
        self.end_headers()
        self.wfile.write("grüße".encode())

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}/"


async def main():
    async with httpx.AsyncClient() as client:
        print((await client.get(address, params={"a": "b c"})).text)


print(httpx.get(address).text, httpx.URL("https://ex.example/a?b=c").params["b"])
asyncio.run(main())
fake = httpx.Client(transport=httpx.MockTransport(lambda request: httpx.Response(418, json={"at": request.url.path})))
print(fake.get("http://test/x").json(), httpx.codes.IM_A_TEAPOT.value)
try:
    httpx.get("http://127.0.0.1:1/")
except httpx.ConnectError as error:
    print(type(error).__name__)
server.shutdown()

import threading
from http.server import BaseHTTPRequestHandler, HTTPServer

import requests


class Handler(BaseHTTPRequestHandler):
    def do_GET(self):
        if self.path == "/there":
            self.send_response(302)
            self.send_header("Location", "/here?a=1")
            self.end_headers()
            return
        body = '{"text": "grüße"}'.encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json; charset=utf-8")
        self.send_header("Set-Cookie", "k=v")
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


server = HTTPServer(("127.0.0.1", 0), Handler)
threading.Thread(target=server.serve_forever, daemon=True).start()
address = f"http://127.0.0.1:{server.server_port}"
with requests.Session() as session:
    answer = session.get(f"{address}/there", auth=("user", "word"), timeout=5)
    print(answer.status_code, answer.json(), answer.url.removeprefix(address), dict(session.cookies), len(answer.history))
    print(requests.get(address, timeout=5).encoding)
try:
    requests.get("http://127.0.0.1:1/", timeout=5)
except requests.ConnectionError as error:
    print(type(error).__name__)
server.shutdown()

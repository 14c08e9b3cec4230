import asyncio
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
from selectolax.lexbor import LexborHTMLParser


class Page(BaseHTTPRequestHandler):
    def do_GET(self):
        body = "<p>ein</p><p>zwei</p>".encode("latin-1")
        self.send_response(200)
        self.send_header("Content-Type", "text/html; charset=iso-8859-1")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *args):
        pass


async def main():
    server = ThreadingHTTPServer(("127.0.0.1", 0), Page)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    async with httpx.AsyncClient(http2=True) as client:
        pages = await asyncio.gather(*(client.get(f"http://127.0.0.1:{server.server_port}/{n}") for n in range(3)))
    print([[node.text() for node in LexborHTMLParser(page.text).css("p")] for page in pages])
    server.shutdown()


if __name__ == "__main__":
    asyncio.run(main())

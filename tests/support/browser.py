"""Chromium without a window: what it makes of a page, what it complains about, and what it asks for."""

from __future__ import annotations

import http.server
import json
import os
import re
import shutil
import subprocess
import threading
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple
from urllib.parse import unquote

from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["Visit", "visit"]

_QUIET = (
    "--headless", "--disable-gpu", "--disable-dev-shm-usage", "--no-first-run", "--disable-background-networking",
    "--disable-component-update", "--disable-sync", "--disable-extensions", "--enable-logging=stderr", "--log-level=0",
)  # fmt: skip
# What Chromium asks for by itself, whatever the page.
_OWN = ("update.googleapis.com", "clients2.google.com", "accounts.google.com", "clients2.googleusercontent.com",
        "optimizationguide-pa.googleapis.com", "safebrowsing.googleapis.com", "content-autofill.googleapis.com",
        "android.clients.google.com", "www.google.com", "redirector.gvt1.com", "edgedl.me.gvt1.com")  # fmt: skip
_HOST = re.compile(r"\w+ (?:\w+://)?([^/:\s]+)")
_CONSOLE = re.compile(r":CONSOLE[:(]\d+\)?\] (.*)")
_ANSWER = re.compile(r'<meta name="found" content="([^"]*)">')
# Written into a copy of the page, which is allowed to run it.
_LOOK = """
<script>
const found = (() => { %s })();
const meta = document.createElement("meta");
meta.name = "found";
meta.content = encodeURIComponent(JSON.stringify(found));
document.head.append(meta);
</script>
"""


class Visit(NamedTuple):
    """What came of a page."""

    console: tuple[str, ...]  # messages
    requests: tuple[str, ...]  # first lines of all that went out, but for the browser's own
    found: Any  # what the script returned


def visit(page: str, folder: Path, script: str = "return null;", *, dark: bool = False, width: int = 800) -> Visit:
    """Load ``page``, a document, as it is, and once more with ``script``, whose value JSON can hold."""
    chromium = shutil.which("chromium")
    if chromium is None:
        absent("chromium")
    as_it_is, asked = folder / "page.html", folder / "asked.html"
    as_it_is.write_text(page, encoding="utf-8")
    allowed = re.sub(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", page)
    asked.write_text(allowed.replace("</body>", f"{_LOOK % script}</body>"), encoding="utf-8")
    with _proxy() as (port, requests):
        options = [
            f"--proxy-server=127.0.0.1:{port}",
            f"--window-size={width},900",
            f"--user-data-dir={folder / 'profile'}",
        ]
        options += ["--no-sandbox"] if os.geteuid() == 0 else []
        options += [f"--blink-settings=preferredColorScheme={0 if dark else 1}"]
        first = _dumped([str(chromium), *_QUIET, *options, "--dump-dom", as_it_is.as_uri()])
        second = _dumped([str(chromium), *_QUIET, *options, "--dump-dom", asked.as_uri()])
    answer = _ANSWER.search(second.stdout)
    assert answer is not None, second.stderr
    asked_for = tuple(each for each in requests if not ((host := _HOST.match(each)) and host[1] in _OWN))
    return Visit(tuple(_CONSOLE.findall(first.stderr)), asked_for, json.loads(unquote(answer[1])))


def _dumped(command: list[str]) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=True)


@contextmanager
def _proxy() -> Iterator[tuple[int, list[str]]]:
    """A proxy that lets nothing through, and what it was asked for."""
    asked: list[str] = []

    class Refusing(http.server.BaseHTTPRequestHandler):
        def handle_one_request(self) -> None:
            self.raw_requestline = self.rfile.readline(65537)
            asked.append(self.raw_requestline.decode(errors="replace").strip())
            self.close_connection = True

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Refusing) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        try:
            yield server.server_address[1], asked
        finally:
            server.shutdown()

"""What uv says of vulnerabilities is a list that cannery reads."""

from __future__ import annotations

import json
import subprocess
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import TYPE_CHECKING

import pytest

from cannery.bom.vulnerabilities import read_vulnerabilities
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

RECORD = {
    "id": "PYSEC-2099-1",
    "modified": "2026-01-02T03:04:05Z",
    "aliases": ["CVE-2099-1"],
    "affected": [{"package": {"ecosystem": "PyPI", "name": "tin"}, "versions": ["1.0"]}],
}
LOCK = f"""version = 1
requires-python = ">=3.11"

[[package]]
name = "shop"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "tin" }}]

[package.metadata]
requires-dist = [{{ name = "tin" }}]

[[package]]
name = "tin"
version = "1.0"
source = {{ registry = "https://pypi.org/simple" }}
wheels = [{{ url = "https://files.example/tin-1.0-py3-none-any.whl", hash = "sha256:{"0" * 64}", size = 1 }}]
"""


class Service(BaseHTTPRequestHandler):
    """OSV's service, as far as uv asks it."""

    def do_GET(self) -> None:
        self._answer(RECORD)

    def do_POST(self) -> None:
        asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        found = {"vulns": [{"id": RECORD["id"], "modified": RECORD["modified"]}]}
        self._answer({"results": [found for _ in asked["queries"]]})

    def log_message(self, *_: object) -> None:
        pass

    def _answer(self, document: object) -> None:
        data = json.dumps(document).encode()
        self.send_response(200)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(data)))
        self.end_headers()
        self.wfile.write(data)


@contextmanager
def serving() -> Iterator[str]:
    with ThreadingHTTPServer(("127.0.0.1", 0), Service) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()
        thread.join()


def test_uv_s_report_is_read(make_project: MakeProject) -> None:
    pyproject = '[project]\nname = "shop"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = ["tin"]\n'
    folder = make_project({"pyproject.toml": pyproject, "uv.lock": LOCK})
    command = [find_uv(), "audit", "--frozen", "--preview-features", "audit-command,json-output"]
    with serving() as address:
        words = ["--output-format", "json", "--service-url", address]
        done = subprocess.run([*command, *words], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 1, done.stderr
    (found,) = read_vulnerabilities(done.stdout.encode(), "what uv says")
    assert (found.name, found.aliases, found.modified) == ("PYSEC-2099-1", ("CVE-2099-1",), "2026-01-02T03:04:05Z")
    assert (found.affected[0].name, found.affected[0].versions) == ("tin", frozenset({"1.0"}))

"""A container asks its own program for its health, and has an init that ends as the program does."""

from __future__ import annotations

import json
import tarfile
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import assert_refused, cannery
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

SERVER = """
    import http.server
    import os
    import subprocess
    import sys
    import threading

    class Answers(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(200 if self.path == "/health" else 500)
            self.end_headers()

        def log_message(self, *_):
            pass

    server = http.server.HTTPServer(("127.0.0.1", PORT), Answers)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    health = "/usr/local/bin/cannery-health"
    print(subprocess.run([health]).returncode, subprocess.run([health, "PORT", "/else"]).returncode)
    print(open(f"/proc/{os.getppid()}/comm").read().strip(), flush=True)
    os.kill(os.getpid(), 15)
"""


def config_in(archive: Path) -> dict[str, Any]:
    """The part "config" of the configuration of the image in ``archive``."""
    with tarfile.open(archive) as opened:

        def read(name: str) -> Any:
            member = opened.extractfile(name)
            assert member is not None
            return json.load(member)

        found: dict[str, Any] = read(read("manifest.json")[0]["Config"])["config"]
        return found


def test_they_are_in_the_image_and_do_their_work_there(make_project: MakeProject) -> None:
    port = free_port()
    settings = f'[tool.cannery]\nhealth = ":{port}/health"\ninit = true\n'
    project = make_project({"main.py": SERVER.replace("PORT", str(port)), "pyproject.toml": settings})
    assert cannery("image", cwd=project).code == 0
    config = config_in(project / "dist/project.tar")
    assert config["Entrypoint"][0] == "/usr/local/bin/cannery-init"
    assert config["Healthcheck"] == {"Test": ["CMD", "/usr/local/bin/cannery-health"]}
    done = cannery("run", cwd=project)
    assert (done.code, done.stdout) == (143, "0 1\ncannery-init\n"), done.stderr


def test_a_dockerfile_says_that_it_has_none(make_project: MakeProject) -> None:
    project = make_project({"main.py": "", "pyproject.toml": "[tool.cannery]\ninit = true\n"})
    done = cannery("dockerfile", "--recipe", "slim", "--base", "python:3.11-slim", cwd=project)
    assert "a Dockerfile has no health check and no init of ours" in assert_refused(done, 2)

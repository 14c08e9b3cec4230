"""The command lines of servers, tried with the servers themselves."""

from __future__ import annotations

import os
import subprocess
import sys
import time
import urllib.error
import urllib.request
from typing import TYPE_CHECKING

import pytest

from cannery.project.app import PORT, Variable
from cannery.project.servers import SERVERS, Server, bound, listening
from cannery.workspace.process import find_uv
from tests.support.ports import free_port

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.servers import Interface

pytestmark = pytest.mark.once

ASGI = """\
async def app(scope, receive, send):
    while scope["type"] == "lifespan":
        message = await receive()
        await send({"type": message["type"] + ".complete"})
        if message["type"] == "lifespan.shutdown":
            return
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b"asgi"})


def create_app():
    return app
"""
WSGI = """\
def app(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [b"wsgi"]


def create_app():
    return app
"""
CASES = [
    (server, interface, factory)
    for server in SERVERS
    for interface in server.serves
    for factory in ((False, True) if server.factories else (False,))
]


@pytest.fixture(scope="module")
def environment(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A virtual environment with every server, beside applications for them."""
    folder = tmp_path_factory.mktemp("servers")
    (folder / "asgi_app.py").write_text(ASGI)
    (folder / "wsgi_app.py").write_text(WSGI)
    subprocess.run([find_uv(), "venv", "--quiet", f"--python={sys.executable}", folder / "venv"], check=True)
    command = [find_uv(), "pip", "install", "--quiet", f"--python={folder}/venv/bin/python"]
    subprocess.run([*command, *(server.distribution for server in SERVERS)], check=True)
    return folder


@pytest.mark.slow
@pytest.mark.parametrize(
    ("server", "interface", "factory"), CASES, ids=[f"{server.script}-{kind}-{made}" for server, kind, made in CASES]
)
def test_each_serves_what_it_is_said_to_serve(
    environment: Path, server: Server, interface: Interface, *, factory: bool
) -> None:
    port = free_port()
    reference = f"{interface}_app:{'create_app' if factory else 'app'}"
    words = server.arguments(reference, interface, factory=factory)
    filled = ["".join(str(port) if part == PORT else str(part) for part in word) for word in words]
    command = [str(environment / "venv/bin" / server.script), *filled]
    with subprocess.Popen(command, cwd=environment, env={**os.environ, "PYTHONPATH": "."}) as program:
        try:
            assert answer(port, program) == interface
        finally:
            program.terminate()


def answer(port: int, program: subprocess.Popen[bytes]) -> str:
    deadline = time.monotonic() + 60
    while True:
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as response:
                return str(response.read().decode())
        except urllib.error.URLError:
            assert program.poll() is None, "it ended"
            assert time.monotonic() < deadline, "it doesn't answer"
            time.sleep(0.1)


@pytest.mark.parametrize(
    ("words", "port"),
    [
        (("--port", "80"), "80"),
        (("-p80",), "80"),
        (("--bind=0.0.0.0:80",), "80"),
        (("-b", ":80"), "80"),
        (("0.0.0.0:80",), "80"),
        ((("--listen=*:", PORT),), "8000"),
        (("--port", (Variable("OTHER", "81"),)), "82"),
        (("main:app", "--workers", "80"), None),
        (("--port", "0"), None),
        (("--port", "x"), None),
    ],
)
def test_the_port_is_read_from_arguments(words: tuple[str, ...], port: str | None) -> None:
    assert listening(words, {"OTHER": "82"}) == (() if port is None else (port,))


def test_only_known_servers_are_told_where_to_listen() -> None:
    assert bound("gunicorn", ["main:app"], []) == ("--bind", ("0.0.0.0:", PORT))
    assert bound("uvicorn", ["main:app", "--port", "80"], []) == ()
    assert bound("tool", ["main:app"], []) == ()

"""Which engine is found, and what is said of one that isn't."""

from __future__ import annotations

import hashlib
import json
import re
import socket
import threading
from typing import TYPE_CHECKING
from unittest.mock import Mock

import pytest

from cannery.containers.engine import discovery
from cannery.containers.engine.discovery import answering, find_engine
from cannery.containers.engine.endpoints import Endpoint, docker_endpoints, podman_endpoints
from cannery.containers.engine.unix_http import Reply
from cannery.errors import CanneryError, MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Answering = Callable[[str], Path]

pytestmark = pytest.mark.once

DOCKER = {"Version": "27.1", "ApiVersion": "1.46", "Components": [{"Name": "Engine"}]}
PODMAN = {"Version": "5.2", "ApiVersion": "1.41", "Components": [{"Name": "Podman Engine"}]}


@pytest.fixture(autouse=True)
def no_engine_of_the_user(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("DOCKER_HOST", "DOCKER_CONTEXT", "DOCKER_CONFIG", "CONTAINER_HOST", "XDG_RUNTIME_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path / "home"))


@pytest.fixture
def serve(tmp_path: Path) -> Iterator[Answering]:
    """Something that listens on a Unix socket, and gives everybody the same answer."""
    listeners: list[socket.socket] = []

    def listen(answer: str) -> Path:
        path = tmp_path / f"{len(listeners)}.sock"
        listener = socket.socket(socket.AF_UNIX)
        listener.bind(str(path))
        listener.listen()
        listeners.append(listener)
        threading.Thread(target=_answer, args=(listener, answer), daemon=True).start()
        return path

    yield listen
    for listener in listeners:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()


def _answer(listener: socket.socket, answer: str) -> None:
    while True:
        try:
            connection, _ = listener.accept()
        except OSError:
            return
        with connection:
            connection.recv(1 << 16)
            connection.sendall(answer.encode())


def says(about: object, status: str = "200 OK") -> str:
    return f"HTTP/1.0 {status}\r\nContent-Type: application/json\r\n\r\n{json.dumps(about)}"


def greets(server: str, api: str) -> str:
    return f"HTTP/1.0 200 OK\r\nApi-Version: {api}\r\nServer: {server}\r\n\r\nOK"


def test_docker_listens_where_docker_host_says_and_nowhere_else(tmp_path: Path) -> None:
    (only,) = docker_endpoints({"DOCKER_HOST": "tcp://build:2376", "DOCKER_CONTEXT": "x"}, tmp_path)
    assert only == Endpoint("tcp://build:2376", "DOCKER_HOST")


@pytest.mark.parametrize("chosen_by", ["variable", "file"])
def test_docker_listens_where_the_context_says(tmp_path: Path, chosen_by: str) -> None:
    meta = tmp_path / ".docker/contexts/meta" / hashlib.sha256(b"farm").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps({"Name": "farm", "Endpoints": {"docker": {"Host": "ssh://builder"}}}))
    (tmp_path / ".docker/config.json").write_text(json.dumps({"currentContext": "farm"} if chosen_by == "file" else {}))
    (only,) = docker_endpoints({"DOCKER_CONTEXT": "farm"} if chosen_by == "variable" else {}, tmp_path)
    assert only == Endpoint("ssh://builder", "the Docker context 'farm'", "farm")


def test_a_context_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(MachineError, match="there is no Docker context 'gone'"):
        list(docker_endpoints({"DOCKER_CONTEXT": "gone"}, tmp_path))


ODD_CONTEXTS: tuple[object, ...] = (
    None,
    [],
    "x",
    {},
    {"Endpoints": None},
    {"Endpoints": {"docker": None}},
    {"Endpoints": {"docker": {"Host": 1}}},
)


@pytest.mark.parametrize("odd", ODD_CONTEXTS)
def test_a_context_with_no_address_is_one_message(tmp_path: Path, odd: object) -> None:
    meta = tmp_path / "contexts" / "meta" / hashlib.sha256(b"odd").hexdigest() / "meta.json"
    meta.parent.mkdir(parents=True)
    meta.write_text(json.dumps(odd))
    with pytest.raises(MachineError, match="there is no Docker context 'odd'"):
        list(docker_endpoints({"DOCKER_CONTEXT": "odd", "DOCKER_CONFIG": str(tmp_path)}, tmp_path))


@pytest.mark.parametrize("odd", ["[]", "null", '{"currentContext": []}', "[" * 100_000, "\0"])
def test_a_configuration_of_docker_s_that_is_odd_names_no_context(tmp_path: Path, odd: str) -> None:
    (tmp_path / "config.json").write_text(odd)
    first, *_ = docker_endpoints({"DOCKER_CONFIG": str(tmp_path)}, tmp_path)
    assert first.address == "unix:///var/run/docker.sock"


def test_docker_and_podman_of_the_user_and_of_the_machine_are_looked_for(tmp_path: Path) -> None:
    environ = {"XDG_RUNTIME_DIR": "/run/user/7"}
    assert [endpoint.socket for endpoint in docker_endpoints(environ, tmp_path)] == [
        "/var/run/docker.sock",
        "/run/user/7/docker.sock",
        f"{tmp_path}/.docker/run/docker.sock",
    ]
    assert [endpoint.socket for endpoint in podman_endpoints(environ)] == [
        "/run/user/7/podman/podman.sock",
        "/run/podman/podman.sock",
    ]


@pytest.mark.parametrize(("about", "name"), [(DOCKER, "Docker 27.1"), (PODMAN, "Podman 5.2")])
def test_an_engine_is_what_it_says_that_it_is(
    serve: Answering, monkeypatch: pytest.MonkeyPatch, about: object, name: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve(says(about))}")
    assert str(answering("docker")) == name


@pytest.mark.parametrize(
    ("server", "name"),
    [("Docker/27.1+dfsg1 (linux)", "Docker 27.1+dfsg1"), ("Libpod/5.2.0-rc1 (linux)", "Podman 5.2.0-rc1")],
)
def test_a_greeting_that_names_the_engine_is_enough(
    serve: Answering, monkeypatch: pytest.MonkeyPatch, server: str, name: str
) -> None:
    describe = Mock(side_effect=AssertionError)
    monkeypatch.setattr(discovery, "ask", describe)
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve(greets(server, '1.46'))}")
    answer = answering("docker")
    assert answer is not None
    assert (str(answer), answer.api) == (name, "1.46")


@pytest.mark.parametrize("server", ["nginx/1.27", "Docker", "Docker/", "", "/"])
def test_an_engine_behind_another_server_s_greeting_is_asked_what_it_is(
    serve: Answering, monkeypatch: pytest.MonkeyPatch, server: str
) -> None:
    monkeypatch.setattr(discovery, "ask", lambda *_: Reply(200, PODMAN))
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{serve(greets(server, '1.46'))}")
    assert str(answering("podman")) == "Podman 5.2"


@pytest.mark.parametrize("api", ["1.29", "1"])
def test_a_greeting_of_an_engine_that_is_too_old_is_told(
    serve: Answering, monkeypatch: pytest.MonkeyPatch, api: str
) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve(greets('Docker/17.05 (linux)', api))}")
    with pytest.raises(MachineError, match=rf"too old: version 17\.05 speaks API {re.escape(api)}"):
        find_engine("docker")


def test_auto_takes_the_first_that_answers(serve: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve('what?')}")
    monkeypatch.setenv("CONTAINER_HOST", f"unix://{serve(says(PODMAN))}")
    assert str(answering("auto")) == "Podman 5.2"


@pytest.mark.parametrize("answer", ["", "what?", "HTTP/1.0 200 OK\r\n\r\n{", says({}), says({}, "500 Sorry")])
def test_auto_never_raises(serve: Answering, monkeypatch: pytest.MonkeyPatch, answer: str) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve(answer)}")
    monkeypatch.setenv("CONTAINER_HOST", "unix:///nowhere")
    assert find_engine("auto") is None
    monkeypatch.delenv("DOCKER_HOST")
    monkeypatch.setenv("DOCKER_CONTEXT", "gone")
    assert find_engine("auto") is None


@pytest.mark.parametrize("kind", ["docker", "podman"])
def test_an_engine_that_does_not_run_is_told_with_how_to_start_it(
    kind: discovery.Choice, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("DOCKER_HOST" if kind == "docker" else "CONTAINER_HOST", "unix:///nowhere/sock")
    with pytest.raises(MachineError) as told:
        find_engine(kind)
    assert told.value.what == f"{kind.capitalize()} is not running, or does not answer"
    assert "unix:///nowhere/sock" in told.value.evidence
    assert "there is no such socket" in told.value.evidence
    assert "start" in told.value.step


def test_a_socket_that_is_not_for_us_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    refuse = Mock(side_effect=PermissionError(13, "Permission denied"))
    monkeypatch.setattr(discovery, "ping", refuse)  # root, as whom tests may run, is refused nothing
    with pytest.raises(MachineError, match="you may not talk to Docker") as told:
        find_engine("docker")
    assert "usermod -aG docker" in told.value.step


def test_an_engine_that_is_too_old_is_told(serve: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    old = {"Version": "17.05", "ApiVersion": "1.29"}
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve(says(old))}")
    with pytest.raises(MachineError, match=r"too old: version 17\.05 speaks API 1\.29"):
        find_engine("docker")


def test_what_answers_and_is_no_engine_is_told(serve: Answering, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", f"unix://{serve('SSH-2.0')}")
    with pytest.raises(CanneryError, match="no HTTP"):
        find_engine("docker")


def test_a_host_that_does_not_answer_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("DOCKER_HOST", "tcp://127.0.0.1:1")
    with pytest.raises(MachineError) as told:
        find_engine("docker")
    assert "127.0.0.1" in str(told.value)

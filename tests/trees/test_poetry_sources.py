"""Sources that Poetry names are the ones that its lock's files come from."""

from __future__ import annotations

import base64
import hashlib
import sys
import threading
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.config import load
from cannery.project.poetry_sources import guarded_sources
from cannery.python.interpreter import describe
from cannery.trees.resolve import resolve
from cannery.trees.wheels import dependencies
from tests.support.locked_projects import make_poetry_project
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


POETRY = """
[tool.poetry]
name = "app"
version = "1.0"
package-mode = false
[tool.poetry.dependencies]
python = ">=3.11"
tin = { version = "*", source = "private" }
[[tool.poetry.source]]
name = "private"
url = "ADDRESS"
priority = "explicit"
"""


class _Guarded(SimpleHTTPRequestHandler):
    """An index that asks who wants something (RFC 7617)."""

    def do_GET(self) -> None:
        if self.headers.get("Authorization") == f"Basic {base64.b64encode(b'me:s/cret').decode()}":
            super().do_GET()
        else:
            self.send_response(401)
            self.send_header("WWW-Authenticate", "Basic")
            self.end_headers()

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@pytest.fixture
def guarded_index(tmp_path: Path) -> Iterator[str]:
    """The address of an index with ``tin`` (PEP 503)."""
    folder = tmp_path / "index" / "tin"
    folder.mkdir(parents=True)
    wheel = make_wheel(folder, "tin")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    (folder / "index.html").write_text(f'<a href="{wheel.name}#sha256={digest}">{wheel.name}</a>')
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Guarded, directory=str(folder.parent))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}/"
        server.shutdown()


@pytest.mark.slow
def test_sources_of_poetry_are_asked_with_what_poetry_knows_to_log_in(
    make_project: MakeProject,
    workspace: Workspace,
    guarded_index: str,
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_USERNAME", "me")
    monkeypatch.setenv("POETRY_HTTP_BASIC_PRIVATE_PASSWORD", "s/cret")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    monkeypatch.setenv("POETRY_CACHE_DIR", str(tmp_path / "poetry-cache"))
    folder = make_project({"main.py": ""})
    make_poetry_project(folder, POETRY.replace("ADDRESS", guarded_index))
    target = describe(Path(sys.executable), workspace).target
    for _ in range(2):  # asked, and recalled
        app = load(folder)
        assert app.requirements is not None
        requirements = resolve(app.requirements, app, target, workspace)
    assert any(path.endswith("/tin.py") for path in dependencies(requirements, target, workspace).tree.entries)
    records = [path for path in (tmp_path / "cache").rglob("*") if path.is_file() and path.stat().st_size < 10**5]
    assert not any(b"s%2Fcret" in path.read_bytes() for path in records)


def test_users_and_passwords_are_those_of_the_environment_or_of_poetry_s_own_file(
    make_project: MakeProject, tmp_path: Path
) -> None:
    source = '[[tool.poetry.source]]\nname = "my-own"\nurl = "https://x.test/simple/"\n'
    pyproject = make_project({"pyproject.toml": source}) / "pyproject.toml"
    assert [*guarded_sources(pyproject, {"POETRY_CONFIG_DIR": str(tmp_path)})] == []
    (tmp_path / "auth.toml").write_text('[http-basic.my-own]\nusername = "me"\npassword = "a@b"\n')
    assert [*guarded_sources(pyproject, {"POETRY_CONFIG_DIR": str(tmp_path)})] == ["https://me:a%40b@x.test/simple/"]
    variables = {"POETRY_CONFIG_DIR": str(tmp_path), "POETRY_HTTP_BASIC_MY_OWN_PASSWORD": "c"}
    assert [*guarded_sources(pyproject, variables)] == ["https://me:c@x.test/simple/"]


def test_sources_of_poetry_need_a_lock(make_project: MakeProject) -> None:
    """Other indexes may have something else of that name."""
    project = '[project]\nname = "app"\nversion = "1"\ndependencies = ["tin"]\n'
    source = POETRY[POETRY.index("[[tool") :].replace("ADDRESS", "https://x.test/")
    with pytest.raises(ProjectError, match=r"come from private \(https://x\.test/\), and nothing pins them"):
        load(make_project({"main.py": "", "pyproject.toml": project + source}))

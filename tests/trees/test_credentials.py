"""Passwords of indexes reach uv, and are written into no record and no file of the cache."""

from __future__ import annotations

import base64
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.project.requirements import with_credentials, without_credentials
from cannery.python.interpreter import describe
from cannery.trees.resolve import resolve
from cannery.trees.wheels import dependencies
from tests.support.fake_registry import Answer, Request, running
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

USER = "someone:open-sesame"


@pytest.fixture
def guarded_index(tmp_path: Path) -> Iterator[str]:
    """The host and port of an index that asks for a password (PEP 503)."""
    wheel = make_wheel(tmp_path, "tin")
    expected = f"Basic {base64.b64encode(USER.encode()).decode()}"

    def answer(request: Request) -> Answer:
        if request.headers.get("Authorization") != expected:
            return 401, {"WWW-Authenticate": "Basic"}, b""
        if request.path.endswith(".whl"):
            return 200, {}, wheel.read_bytes()
        page = f'<a href="/files/{wheel.name}">{wheel.name}</a>' if "/tin/" in request.path else ""
        return (200, {"Content-Type": "text/html"}, page.encode()) if page else (404, {}, b"")

    with running() as fake:
        fake.answer = answer
        yield fake.address


PROJECT = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["tin"]

[[tool.uv.index]]
url = "http://{user}@{index}/simple"
default = true
"""


@pytest.mark.parametrize(
    "files",
    [
        {"requirements.txt": "--index-url http://{user}@{index}/simple\ntin\n"},
        {"requirements.txt": "tin @ http://{user}@{index}/files/tin-1.0-py3-none-any.whl\n"},
        {"pyproject.toml": PROJECT},
    ],
    ids=["option", "address", "project"],
)
def test_a_password_is_used_and_not_kept(
    make_project: MakeProject,
    workspace: Workspace,
    guarded_index: str,
    files: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    written = {name: text.replace("{user}", USER).replace("{index}", guarded_index) for name, text in files.items()}
    folder = make_project({"main.py": "", **written})
    app = load(folder)
    assert app.requirements is not None
    target = describe(Path(sys.executable), workspace).target
    for _ in range(2):
        requirements = resolve(app.requirements, app, target, workspace)
        assert "/usr/local/lib/python3.11/site-packages/tin.py" in dependencies(requirements, target, workspace).tree
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "another"))  # nothing but the password helps then
        for path in (workspace.cache.root / "dependencies").rglob("tin.py"):
            path.unlink()
    kept = [path for path in workspace.cache.root.rglob("*") if path.is_file() and b"sesame" in path.read_bytes()]
    assert kept == []


def test_credentials_come_back_for_their_own_host_alone() -> None:
    text = 'url = "https://a:b@one.example:8/x.whl"\nurl = "https://c@two.example/y"\nurl = "https://three.example"\n'
    bare = without_credentials(text)
    assert bare == 'url = "https://one.example:8/x.whl"\nurl = "https://two.example/y"\nurl = "https://three.example"\n'
    assert with_credentials(bare, "--index-url=https://a:b@one.example:8/simple") == text.replace("c@", "")
    assert with_credentials(bare, "") == bare

"""The command that installs an extra, where cannery was installed in this way or that."""

from __future__ import annotations

import json
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.workspace.extras import installing

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.once


@pytest.fixture
def installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[..., Path]:
    """A function that makes this Python one of an environment, with cannery installed from somewhere."""

    def make(folder: str = "env", *, installer: str = "pip", origin: dict[str, object] | None = None) -> Path:
        prefix = tmp_path / folder
        metadata = prefix / "site" / "cannery-1.0.dist-info"
        metadata.mkdir(parents=True)
        (metadata / "METADATA").write_text("Metadata-Version: 2.1\nName: cannery\nVersion: 1.0\n")
        (metadata / "INSTALLER").write_text(f"{installer}\n")
        if origin is not None:
            (metadata / "direct_url.json").write_text(json.dumps(origin))
        monkeypatch.setattr(sys, "prefix", str(prefix))
        monkeypatch.setattr(sys, "path", [str(prefix / "site"), *sys.path])
        monkeypatch.setenv("PATH", "/nowhere")
        monkeypatch.chdir(tmp_path)
        return prefix

    return make


def test_from_an_index(installed: Callable[..., Path]) -> None:
    installed()
    assert installing("zig") == 'pip install "cannery[zig]"'


def test_by_the_pip_of_the_environment_that_is_not_the_shell_s(installed: Callable[..., Path]) -> None:
    pip = installed(".venv") / "bin" / "pip"
    pip.parent.mkdir()
    pip.touch()
    assert installing("zig") == '.venv/bin/pip install "cannery[zig]"'


def test_from_a_clone(installed: Callable[..., Path], tmp_path: Path) -> None:
    installed(origin={"url": tmp_path.as_uri(), "dir_info": {}})
    assert installing("zig") == 'pip install ".[zig]"'


def test_from_a_clone_with_changes_at_once(installed: Callable[..., Path], tmp_path: Path) -> None:
    clone = tmp_path / "a clone"
    clone.mkdir()
    installed(origin={"url": clone.as_uri(), "dir_info": {"editable": True}})
    assert installing("zig") == f'pip install --editable "{clone}[zig]"'


def test_from_a_clone_that_is_gone(installed: Callable[..., Path]) -> None:
    installed(origin={"url": "file:///gone", "dir_info": {}})
    assert installing("zig") == 'pip install "cannery[zig]"'


def test_from_a_repository(installed: Callable[..., Path]) -> None:
    installed(origin={"url": "https://git.example/cannery", "vcs_info": {"vcs": "git", "commit_id": "abc"}})
    assert installing("zig") == 'pip install "cannery[zig] @ git+https://git.example/cannery@abc"'


def test_as_a_tool_of_uv_with_the_extras_that_it_has(installed: Callable[..., Path]) -> None:
    receipt = installed(installer="uv") / "uv-receipt.toml"
    receipt.write_text('[tool]\nrequirements = [{ name = "cannery", extras = ["registry"] }, { name = "other" }]\n')
    assert installing("zig") == 'uv tool install "cannery[registry,zig]"'


def test_by_uvx(installed: Callable[..., Path]) -> None:
    installed("archive-v0/abc", installer="uv")
    assert installing("zig") == 'uvx --from "cannery[zig]" cannery …'


def test_by_pipx(installed: Callable[..., Path]) -> None:
    (installed() / "pipx_metadata.json").touch()
    assert installing("zig") == 'pipx install --force "cannery[zig]"'


def test_in_an_environment_of_uv_s(installed: Callable[..., Path]) -> None:
    prefix = installed(installer="uv")
    assert installing("zig") == f'uv pip install --python {prefix} "cannery[zig]"'


def test_in_a_project_of_uv_s(installed: Callable[..., Path], tmp_path: Path) -> None:
    installed(".venv", installer="uv")
    assert installing("zig") == 'uv pip install "cannery[zig]"'
    (tmp_path / "uv.lock").touch()
    assert installing("zig") == 'uv add --dev "cannery[zig]"'

"""The recipe ``cython``: a conventional base, and a compiled app on top of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Literal

import pytest

from cannery.elf.dynamic import read_elf
from cannery.errors import RuntimeTreeError
from cannery.image.image import Base
from cannery.image.platform import Platform
from cannery.image.tree import File
from cannery.project.config import load
from cannery.trees.app import app_tree
from cannery.trees.base.python import BasePython
from cannery.trees.cython.app import compiled_on
from cannery.workspace.digest import Digest
from tests.support.built_image import build
from tests.support.command import assert_refused, cannery
from tests.support.compiled_project import PROJECT, SAID

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.elf.dynamic import Elf
    from cannery.image.tree import Tree
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.support.engine_commands import EngineCommand
    from tests.support.registry import Base as StandIn

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def project(make_project: MakeProject, slim_base: StandIn) -> Path:
    settings = f'base = "oci:{slim_base.layout}"\nrecipe = "cython"\n'
    return make_project({**PROJECT, "pyproject.toml": PROJECT["pyproject.toml"] + settings})


def test_the_app_is_compiled_and_runs_on_the_base_s_python(
    project: Path, tmp_path: Path, docker: EngineCommand
) -> None:
    image = build(project, tmp_path / "image.tar")
    suffix = ".cpython-311-x86_64-linux-gnu.so"
    code = {path for path in image.files("app") if path.startswith("/app/")}
    assert code == {
        f"/app/main.script{suffix}", "/app/main.pyc", f"/app/pkg/__init__{suffix}", f"/app/pkg/core{suffix}",
        "/app/pkg/data.txt", "/app/words/hello.txt",
    }  # fmt: skip
    assert image.report["config"]["Entrypoint"] == ["/usr/local/bin/python3.11", "/app/main.pyc"]
    docker("load", "--input", str(image.archive))
    done = docker.run("--tmpfs=/tmp", image.reference)
    assert done.stdout == SAID, done.stderr
    assert cannery("run", cwd=project).stdout == SAID


def test_nothing_is_found_that_shows_the_source(project: Path) -> None:
    found = {finding["id"] for finding in json.loads(cannery("audit", "--json", cwd=project).stdout)["findings"]}
    assert not found & {"CAN101", "CAN102"}


def test_the_recipe_slim_ships_sources(project: Path) -> None:
    message = assert_refused(cannery("image", "--recipe", "slim", "--compile", cwd=project), 2)
    assert "take the recipe cython" in message


def test_modules_for_a_base_with_another_c_library_are_built_by_zig(
    make_project: MakeProject, workspace: Workspace
) -> None:
    made = compiled_for(make_project({"main.py": "a = 1\n"}), workspace, libc="musl", libc_version=(1, 2))
    assert "libc.so.6" not in needs(made, "/app/main.script.cpython-311-x86_64-linux-musl.so").needed


def test_modules_for_another_architecture_are_built_by_zig(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "a = 1\n"})
    made = compiled_for(folder, workspace, libc="glibc", libc_version=(2, 36), architecture="arm64")
    assert needs(made, "/app/main.script.cpython-311-aarch64-linux-gnu.so").machine == "EM_AARCH64"


def test_a_base_with_too_old_a_c_library_is_refused_with_the_target_that_fits_it(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CC", "cc -Wl,--no-as-needed,-u,memcpy")  # which changed in 2.14
    with pytest.raises(RuntimeTreeError, match=r"needs glibc 2\.14, and the base old has 2\.12") as raised:
        compiled_for(make_project({"main.py": "a = 1\n"}), workspace, libc="glibc", libc_version=(2, 12))
    assert 'target = "x86_64-linux-gnu.2.12"' in raised.value.step


def compiled_for(
    folder: Path,
    workspace: Workspace,
    *,
    libc: Literal["glibc", "musl"],
    libc_version: tuple[int, int],
    architecture: str = "amd64",
) -> Tree:
    """The app's code on a base that nothing is known of but its Python."""
    app = load(folder)
    python = BasePython(
        "/usr/bin/python3.11", "/usr/lib/python3.11", (3, 11), "/usr/lib/python3.11", libc, libc_version
    )
    base = Base("old", Digest("0"), Digest("0"), (), {}, Platform("linux", architecture))
    return compiled_on(base, python, app_tree(app, workspace).code, app, workspace).tree


def needs(tree: Tree, path: str) -> Elf:
    entry = tree.entries[path]
    assert isinstance(entry, File)
    elf = read_elf(entry.content)
    assert elf is not None
    return elf

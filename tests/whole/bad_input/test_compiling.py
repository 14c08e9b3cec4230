"""What can't be compiled: one message each, with the next step."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.command import Outcome, assert_refused, assert_whole, cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

COMPILE = "[tool.cannery]\ncompile = true\n"


def image(make_project: MakeProject, files: dict[str, str], settings: str = "", **changes: str | None) -> Outcome:
    folder = make_project({"main.py": "print('hello')\n", "pyproject.toml": COMPILE + settings, **files})
    outcome = cannery("image", cwd=folder, **changes)
    assert_whole(folder)
    assert not [path for path in folder.rglob("*") if path.suffix in {".c", ".so"} and path.name not in files]
    return outcome


def test_what_cython_refuses_is_said_with_its_place(make_project: MakeProject) -> None:
    outcome = image(make_project, {"main.py": "import math\n\nasync def f():\n    yield from []\nprint(f)\n"})
    message = assert_refused(outcome, 3)
    assert "Cython refuses" in message
    assert "main.py:4: " in message
    assert 'exclude = ["main"]' in message


def test_a_syntax_error_is_said_with_its_place(make_project: MakeProject) -> None:
    assert "main.py:2: " in assert_refused(image(make_project, {"main.py": "a = 1\nif\n"}), 3)


@pytest.mark.parametrize(
    ("settings", "told"),
    [
        ("[tool.cannery.cython]\nexclud = ['x']", "did you mean 'exclude'?"),
        ("[tool.cannery.cython]\nexclude = 'x'", 'it is "x", and must be an array'),
        ("cython = 3", "it is 3, and must be a table"),
        ("[tool.cannery.cython.directives]\nboundschek = false", "did you mean 'boundscheck'?"),
        ("[tool.cannery.cython.directives]\nlanguage_level = 'four'", "language_level"),
    ],
)
def test_a_wrong_setting_is_refused(make_project: MakeProject, settings: str, told: str) -> None:
    assert told in assert_refused(image(make_project, {}, settings), 2)


def test_no_compiler_and_no_zig_is_said_with_what_was_looked_for(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _hide(monkeypatch, tmp_path, "ziglang")
    message = assert_refused(image(make_project, {}, PATH=str(tmp_path)), 7)
    assert "no C compiler found" in message
    assert "cc, gcc, clang" in message
    assert '[zig]"' in message


def test_a_compiler_that_is_not_there_is_refused(make_project: MakeProject) -> None:
    assert "CC='no-such-cc -O2': there is no such program" in assert_refused(
        image(make_project, {}, CC="no-such-cc -O2"), 2
    )


def test_a_target_needs_zig(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    _hide(monkeypatch, tmp_path, "ziglang")
    settings = '[tool.cannery.cython]\ntarget = "x86_64-linux-gnu.2.17"\n'
    assert "only Zig compiles for target" in assert_refused(image(make_project, {}, settings), 7)


def test_a_target_must_be_one_that_the_image_s_python_imports_from(make_project: MakeProject) -> None:
    settings = '[tool.cannery.cython]\ntarget = "riscv64-linux-gnu"\n'
    assert "imports no module" in assert_refused(image(make_project, {}, settings), 2)


def test_no_cython_is_said_with_the_command_that_installs_it(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    _hide(monkeypatch, tmp_path, "Cython")
    assert '[cython]"' in assert_refused(image(make_project, {}), 7)


def test_a_compiler_that_fails_is_quoted(make_project: MakeProject, tmp_path: Path) -> None:
    broken = tmp_path / "broken-cc"
    broken.write_text("#!/bin/sh\necho 'no such instruction' >&2\nexit 1\n")
    broken.chmod(0o755)
    message = assert_refused(image(make_project, {"main.py": "unseen = 1\n"}, CC=str(broken)), 7)
    assert "no such instruction" in message


def test_modules_that_may_surprise_are_noted(make_project: MakeProject) -> None:
    files = {"main.py": "import wave, inspect\n\nprint(inspect.getsource(wave))\n", "wave.py": ""}
    outcome = image(make_project, files)
    assert outcome.code == 0
    assert "main.py:3 reads source code" in outcome.stdout
    assert "own module wave hides" in outcome.stdout


def test_sources_that_are_kept_are_not_noted(make_project: MakeProject) -> None:
    files = {"main.py": "import rules, inspect\n\nprint(inspect.getsource(rules))\n", "rules.py": "a = 1\n"}
    outcome = image(make_project, files, "keep-sources = ['rules']\n")
    assert "reads source code" not in outcome.stdout
    assert cannery("run", cwd=Path(make_project({}))).stdout == "a = 1\n\n"


def _hide(monkeypatch: pytest.MonkeyPatch, folder: Path, package: str) -> None:
    """Have Python find nothing under that name, neither a module nor a distribution."""
    (folder / "sitecustomize.py").write_text(
        "import importlib.metadata, importlib.util\n"
        "version, find_spec = importlib.metadata.version, importlib.util.find_spec\n"
        "def no_version(name):\n"
        f"    if name == {package!r}: raise importlib.metadata.PackageNotFoundError(name)\n"
        "    return version(name)\n"
        f"importlib.metadata.version = no_version\n"
        f"importlib.util.find_spec = lambda name, *more: None if name == {package!r} else find_spec(name, *more)\n"
    )
    monkeypatch.setenv("PYTHONPATH", str(folder))

"""Files that setuptools installs as scripts, and that a project starts by."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import ScriptEntry
from cannery.project.config import load
from tests.support.command import assert_refused, cannery
from tests.support.made_up_tokens import GITHUB

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SCRIPT = "#!/usr/bin/env python3\nfrom pkg import greet\ngreet()\n"
PACKAGE = {"pkg/__init__.py": "def greet() -> None:\n    print('hello from a script')\n"}
SETUP_CFG = "[metadata]\nname = tool\nversion = 1\n[options]\npackages = pkg\nscripts =\n"
SETUP_PY = "from setuptools import setup\nsetup(name='tool', version='1', packages=['pkg'], scripts=[{}])\n"
WORDS = "[tool.cannery]\n"


@pytest.mark.parametrize(
    ("files", "path"),
    [
        ({"setup.cfg": f"{SETUP_CFG}  bin/greet\n", "bin/greet": SCRIPT}, "greet.py"),
        ({"setup.py": SETUP_PY.format("'bin/greet'"), "bin/greet": SCRIPT}, "greet.py"),
        ({"setup.cfg": f"{SETUP_CFG}  greet, bin/tool\n", "greet": SCRIPT, "bin/tool": SCRIPT}, "tool.py"),
        ({"setup.cfg": f"{SETUP_CFG}  run.sh\n  greet\n", "greet": SCRIPT, "run.sh": "#!/bin/sh\n"}, "greet.py"),
        ({"pyproject.toml": f'{WORDS}entry = "greet"\n', "greet": SCRIPT, "main.py": "print()\n"}, "greet.py"),
    ],
)
def test_the_only_script_starts_or_the_one_called_like_the_project(
    make_project: MakeProject, files: dict[str, str], path: str
) -> None:
    app = load(make_project({**PACKAGE, **files}))
    assert isinstance(app.entry, ScriptEntry)
    assert (app.entry.path, app.entry.source) == (PurePosixPath("/usr/local/bin", path), SCRIPT)


def test_several_scripts_are_an_error_that_names_them(make_project: MakeProject) -> None:
    files = {"setup.cfg": f"{SETUP_CFG}  bin/a\n  bin/b\n", "bin/a": SCRIPT, "bin/b": SCRIPT}
    with pytest.raises(ProjectError, match="setuptools installs several scripts") as raised:
        load(make_project({**PACKAGE, **files}))
    assert raised.value.evidence == "bin/a, bin/b"
    assert raised.value.step.endswith('entry = "bin/a"')


def test_a_file_that_python_does_not_run_is_no_script(make_project: MakeProject) -> None:
    with pytest.raises(ConfigurationError, match="'greet' does not exist"):
        load(make_project({"pyproject.toml": f'{WORDS}entry = "greet"\n', "greet": "#!/bin/sh\n"}))


def test_a_secret_in_a_script_is_refused(make_project: MakeProject) -> None:
    files = {"pyproject.toml": f'{WORDS}entry = "greet"\n', "greet": f"{SCRIPT}token = '{GITHUB}'\n", **PACKAGE}
    assert "  greet:4: a token of GitHub" in assert_refused(cannery("image", cwd=make_project(files)), 3)


@pytest.mark.slow
def test_a_script_without_a_suffix_is_run(make_project: MakeProject) -> None:
    folder = make_project({**PACKAGE, "setup.cfg": f"{SETUP_CFG}  bin/greet\n", "bin/greet": SCRIPT})
    done = cannery("image", "--check", "--json", cwd=folder)
    assert done.code == 0, done.stderr
    assert "hello from a script" in cannery("run", cwd=folder).stdout

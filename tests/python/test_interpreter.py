"""A Python says what it is."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import RuntimeTreeError
from cannery.python.interpreter import WheelTarget, describe, installed_python, same_minor
from cannery.workspace.process import Completed, ProgramFailed

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

ANSWERS = {
    "executable": sys.executable, "implementation": "cpython", "version": [3, 12, 1], "build": "", "prefix": "/usr",
    "stdlib": "/usr/lib/python3.12", "dynload": None, "image_stdlib": "/usr/local/lib/python3.12",
    "site_packages": "/usr/local/lib/python3.12/site-packages", "cache_tag": "cpython-312", "magic": "cb0d0d0a",
    "system": "linux", "machine": "x86_64",
}  # fmt: skip


def answering(workspace: Workspace, text: str) -> Workspace:
    """A workspace in which every program prints ``text``."""

    def answer(*_: Any, **__: Any) -> Completed:
        return Completed(text, "")

    return replace(workspace, run=answer)


def test_wheels_are_chosen_for_what_it_says(workspace: Workspace) -> None:
    found = describe(Path(sys.executable), workspace)
    assert found.target == WheelTarget(found.executable, found.version, found.platform, found.image_site_packages)
    assert found.version_text == ".".join(map(str, sys.version_info[:3]))


@pytest.mark.once
@pytest.mark.parametrize(
    ("answers", "what"),
    [
        ({"implementation": "pypy"}, "is pypy 3.12.1"),
        ({"version": [3, 10, 9]}, "is cpython 3.10.9"),
    ],
)
def test_a_python_that_cannot_be_packed_is_refused(answers: dict[str, Any], what: str, workspace: Workspace) -> None:
    with pytest.raises(RuntimeTreeError, match=what) as raised:
        describe(Path(sys.executable), answering(workspace, json.dumps({**ANSWERS, **answers})))
    assert raised.value.step


@pytest.mark.once
def test_one_for_another_system_is_described_as_it_may_make_bytecode(workspace: Workspace) -> None:
    answers = {**ANSWERS, "system": "darwin", "machine": "arm64", "stdlib": str(Path(os.__file__).parent)}
    found = describe(Path(sys.executable), answering(workspace, json.dumps(answers)))
    assert str(found.platform) == "darwin/arm64"


@pytest.mark.once
@pytest.mark.parametrize("text", ["", "Python 2.7", "[1, 2"])
def test_what_is_no_python_is_refused(text: str, workspace: Workspace) -> None:
    with pytest.raises(RuntimeTreeError, match="does not answer as a Python does"):
        describe(Path(sys.executable), answering(workspace, text))


@pytest.mark.once
def test_the_running_python_is_taken_for_its_own_minor_version(workspace: Workspace) -> None:
    assert same_minor((*sys.version_info[:2], 99), workspace) == describe(Path(sys.executable), workspace)


@pytest.mark.once
def test_a_version_that_the_machine_has_not_is_told_with_the_next_step() -> None:
    def failing(command: Any, **_: Any) -> Completed:
        raise ProgramFailed(command, 2, "", "No interpreter found")

    with pytest.raises(RuntimeTreeError, match=r"no Python 3\.99 on this machine") as raised:
        installed_python("3.99", failing)
    assert raised.value.evidence == "No interpreter found"
    assert "uv python install 3.99" in raised.value.step


@pytest.mark.once
def test_its_files_are_looked_at_once_for_several_images(workspace: Workspace, monkeypatch: pytest.MonkeyPatch) -> None:
    several = replace(workspace, looked_at={})
    first = describe(Path(sys.executable), several)
    monkeypatch.setattr("cannery.python.interpreter.contents_key", lambda *_: pytest.fail("they were looked at again"))
    assert describe(Path(sys.executable), several) == first

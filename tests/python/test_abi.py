"""What a Python asks of extension modules."""

from __future__ import annotations

import json
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import RuntimeTreeError
from cannery.python.abi import abi_of
from cannery.python.interpreter import describe
from cannery.workspace.process import Completed

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace


def test_the_interpreter_s_own_headers_and_suffix_are_found(workspace: Workspace) -> None:
    abi = abi_of(describe(Path(sys.executable), workspace), workspace)
    assert (abi.include / "Python.h").is_file()
    assert abi.suffix == sysconfig.get_config_var("EXT_SUFFIX")


def test_another_platform_has_another_suffix(workspace: Workspace) -> None:
    abi = abi_of(describe(Path(sys.executable), workspace), workspace).for_target("aarch64-linux-gnu.2.17")
    assert abi.suffix == f".cpython-3{sys.version_info.minor}-aarch64-linux-gnu.so"


def test_a_python_without_headers_is_refused_with_the_package_that_has_them(
    workspace: Workspace, tmp_path: Path
) -> None:
    python = describe(Path(sys.executable), workspace)

    def headless(*_: Any, **__: Any) -> Completed:
        answers = {"include": [str(tmp_path)], "multiarch": "", "suffix": ".so"}
        return Completed(json.dumps(answers), "")

    with pytest.raises(RuntimeTreeError, match=f"the headers of Python {python.version_text} are not here") as raised:
        abi_of(python, replace(workspace, run=headless))
    assert f"python3.{sys.version_info.minor}-dev" in raised.value.step

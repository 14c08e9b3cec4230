"""The Python that a program is for is asked what it imports by itself."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cannery.imports.host import host_of
from cannery.python.interpreter import describe

if TYPE_CHECKING:
    from cannery.workspace.process import Completed
    from cannery.workspace.workspace import Workspace


def test_it_tells_what_is_inside_it_and_what_it_imports_before_a_program(workspace: Workspace) -> None:
    host = host_of(describe(Path(sys.executable), workspace), workspace)
    assert host.version == sys.version_info[:3]
    assert host.builtins == {"_frozen_importlib", "_frozen_importlib_external", *sys.builtin_module_names}
    assert {"encodings", "_io", "site", "encodings.utf_8"} <= set(host.started)
    assert not {"json", "__main__"} & set(host.started)


def test_it_is_asked_once(workspace: Workspace) -> None:
    asked: list[str] = []

    def counting(*arguments: Any, **options: Any) -> Completed:
        asked.append(arguments[0][0])
        return workspace.run(*arguments, **options)

    python = describe(Path(sys.executable), workspace)
    counted = replace(workspace, run=counting)
    assert host_of(python, counted) == host_of(python, counted)
    assert len(asked) == 1

"""The files that setuptools installs as scripts: ``scripts`` of setup.cfg, and of the call of ``setup`` in setup.py."""

from __future__ import annotations

import ast
import re
from typing import TYPE_CHECKING, Final

from cannery.project.setup_files import setup_calls, setup_cfg

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["python_script", "setup_scripts"]

_PYTHON: Final = re.compile(rb"#!.*\bpython")


def setup_scripts(folder: Path) -> tuple[str, ...]:
    """The scripts of the project in ``folder``, by their paths in it: those that are there, and Python's."""
    named = dict.fromkeys((*_of_setup_cfg(folder), *_of_setup_py(folder)))
    return tuple(name for name in named if python_script(folder, name) is not None)


def python_script(folder: Path, name: str) -> str | None:
    """The text of the file ``name`` in ``folder``, where its first line says that Python runs it; None for others."""
    path = folder / name
    if ".." in path.parts or not path.is_relative_to(folder) or not path.is_file():
        return None
    with path.open("rb") as stream:
        head = stream.readline(200)
        try:
            return (head + stream.read()).decode() if _PYTHON.match(head) else None
        except UnicodeDecodeError:
            return None


def _of_setup_cfg(folder: Path) -> Iterator[str]:
    yield from filter(None, re.split(r"\s*[\n,]\s*", setup_cfg(folder).get("options", {}).get("scripts", "")))


def _of_setup_py(folder: Path) -> Iterator[str]:
    """What is written out; a list that is made when setup.py runs names nothing."""
    for call in setup_calls(folder):
        for each in call.keywords:
            if each.arg == "scripts" and isinstance(each.value, ast.List | ast.Tuple):
                names = (element.value for element in each.value.elts if isinstance(element, ast.Constant))
                yield from (name for name in names if isinstance(name, str))

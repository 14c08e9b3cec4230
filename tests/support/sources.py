"""What the analysis of imports reads in a few lines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

import pytest

from cannery.errors import CanneryError
from cannery.imports.model import Host
from cannery.imports.source import read_source
from cannery.python.interpreter import installed_python
from cannery.workspace.process import run

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.imports.model import Mentions

__all__ = ["imported_by", "newer_python", "read"]

_LINUX = Host((3, 11, 7), frozenset())


def read(source: str, *, main: bool = False) -> Mentions:
    """What the source mentions, which may be indented as the test is."""
    return read_source(textwrap.dedent(source).encode(), _LINUX, main=main)


def imported_by(source: str, *, main: bool = False) -> set[str]:
    """The modules that its imports name, each after its dots."""
    return {"." * each.level + each.module for each in read(source, main=main).imports}


def newer_python() -> Path:
    """A Python whose grammar has what 3.11's hasn't; the test is skipped where this machine has none."""
    try:
        return installed_python(">=3.12", run)
    except CanneryError:
        pytest.skip("this machine has no Python 3.12")

"""What the analysis of imports reads in a few lines."""

from __future__ import annotations

import textwrap
from typing import TYPE_CHECKING

from cannery.imports.model import Host
from cannery.imports.source import read_source

if TYPE_CHECKING:
    from cannery.imports.model import Mentions

__all__ = ["imported_by", "read"]

_LINUX = Host((3, 11, 7), frozenset())


def read(source: str, *, main: bool = False) -> Mentions:
    """What the source mentions, which may be indented as the test is."""
    return read_source(textwrap.dedent(source).encode(), _LINUX, main=main)


def imported_by(source: str, *, main: bool = False) -> set[str]:
    """The modules that its imports name, each after its dots."""
    return {"." * each.level + each.module for each in read(source, main=main).imports}

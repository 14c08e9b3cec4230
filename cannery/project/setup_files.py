"""What setup.cfg and setup.py say, as far as it's written out: neither is run."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["setup_calls", "setup_cfg"]


def setup_cfg(folder: Path) -> Mapping[str, Mapping[str, str]]:
    """The sections of setup.cfg in ``folder``; none where it isn't there, or can't be read."""
    path = folder / "setup.cfg"
    if not path.is_file():
        return {}
    import configparser  # noqa: PLC0415  # hardly any project needs it

    parser = configparser.RawConfigParser(strict=False)
    try:
        parser.read_string(path.read_text(encoding="utf-8"))
    except (OSError, ValueError, configparser.Error):
        return {}
    return {name: dict(parser.items(name)) for name in parser.sections()}


def setup_calls(folder: Path) -> Iterator[ast.Call]:
    """The calls in setup.py in ``folder``, ``setup(…)`` among them; none where it isn't there, or is no Python."""
    try:
        tree = ast.parse((folder / "setup.py").read_bytes())
    except (OSError, SyntaxError, ValueError, RecursionError, MemoryError):
        return
    yield from (node for node in ast.walk(tree) if isinstance(node, ast.Call))

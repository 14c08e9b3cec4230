"""The shapes of what commands print with ``--json``, read from what they print of a small project."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["json_page", "shape"]

_PROJECT: Final[Mapping[str, str]] = {
    "pyproject.toml": '[project]\nname = "shop"\nversion = "1.0"\n',
    "main.py": 'import json\n\nprint(json.dumps("hello"))\n',
}
_COMMANDS: Final = (
    ("image",),
    ("check",),
    ("sizes",),
    ("audit", "--fail-on", "never"),
    ("sbom",),
    ("imports",),
    ("config",),
    ("lock",),
    ("kit", "--versions"),
)
_INTRO: Final = """\
# What --json prints

One JSON document on standard output, and nothing else; messages and progress go to standard error.
Names are in snake_case, sizes are bytes, times are seconds, and digests begin with `sha256:` where OCI's do.
`x[].y` is the `y` of each element of the list `x`; `x.*.y` that of each entry of a table whose keys are names.
More keys may come; those that are here stay.

The tables were made by running the commands on a project of one module. Where it says *nothing*, there is a value
once there is something to say.
"""


def json_page() -> str:
    """The page, for which a small image is built."""
    with tempfile.TemporaryDirectory() as folder:
        for name, text in _PROJECT.items():
            (Path(folder) / name).write_text(text, encoding="utf-8")
        return _INTRO + "".join(_section(command, _printed(command, folder)) for command in _COMMANDS)


def _printed(command: tuple[str, ...], folder: str) -> Any:
    done = subprocess.run(
        [sys.executable, "-m", "cannery", *command, "--json"],
        cwd=folder, env={**os.environ, "CANNERY_ENGINE": "none"}, capture_output=True, text=True, check=True,
    )  # fmt: skip
    return json.loads(done.stdout)


def _section(command: tuple[str, ...], printed: Any) -> str:
    rows = "\n".join(f"| `{path}` | {' or '.join(sorted(kinds))} |" for path, kinds in shape(printed).items())
    return f"\n## cannery {' '.join(command)} --json\n\n| key | value |\n|---|---|\n{rows}\n"


_WORD: Final = re.compile(r"[A-Za-z][\w-]*")  # of a format; names of files, platforms and versions have other letters


def shape(value: Any) -> dict[str, set[str]]:
    """The paths of all values in ``value`` that have none below, each with the kinds of value that it has."""
    found: dict[str, set[str]] = {}
    for path, kind in _leaves(value, ""):
        found.setdefault(path, set()).add(kind)
    return {path: kinds for path, kinds in found.items() if not _has_more(path, found)}


def _has_more(path: str, found: Mapping[str, object]) -> bool:
    return any(other.startswith((f"{path}.", f"{path}[]")) for other in found)


def _leaves(value: Any, path: str) -> Iterator[tuple[str, str]]:
    if isinstance(value, dict) and value:
        for key, each in value.items():
            name = "*" if _is_table(value) else key
            yield from _leaves(each, f"{path}.{name}" if path else name)
    elif isinstance(value, list) and value:
        for each in value:
            yield from _leaves(each, f"{path}[]")
    else:
        yield path, _kind(value)


def _is_table(value: Mapping[str, Any]) -> bool:
    """Whether the keys are names of things; those of an object are words of the format, and differ in their values."""
    if not all(_WORD.fullmatch(key) for key in value):
        return True
    shapes = [set(each) if isinstance(each, dict) else None for each in value.values()]
    return None not in shapes and all(each == shapes[0] for each in shapes)


def _kind(value: Any) -> str:
    if value is None:
        return "nothing"
    return {bool: "true or false", int: "number", float: "number", str: "text", list: "list", dict: "table"}[
        type(value)
    ]

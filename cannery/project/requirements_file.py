"""Requirements files, read as pip and uv read them (pip's documentation, Requirements File Format)."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from cannery.errors import RequirementsError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["hashed", "local_files", "locked", "nested_files", "nested_text", "read_text"]

_COMMENT = re.compile(r"(^|\s+)#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n")
_OPTION = re.compile(r"\s--?[a-z]")  # the beginning of options after a requirement: --hash, --config-settings
_NESTED = re.compile(r"(-r|--requirement|-c|--constraint)(?:\s+|=|(?<=-[rc])(?=\S))(?P<name>.+)")


def nested_files(path: Path) -> tuple[Path, ...]:
    """``path`` and all files that are its ``-r`` or ``-c``, directly or not, in the order of their first mention."""
    found: dict[Path, None] = {}
    _follow(path, found)
    return tuple(found)


def local_files(path: Path) -> tuple[Path, ...]:
    """The wheels and other archives of this machine that requirements in ``path``, or in its ``-r``, name."""
    named = [statement.rpartition("@ ")[2].split()[0] for statement in _requirements(nested_text(path))]
    files = [path.parent / name.removeprefix("file://").removeprefix("file:") for name in named if "/" in name]
    return tuple(file for file in files if file.is_file())


def nested_text(path: Path) -> str:
    """The text of ``path`` with each ``-r`` replaced by that file's text, and without constraints (``-c``).

    Raises :class:`RequirementsError` for a file that can't be read, or that includes itself.
    """
    return _expand(path, ())


def hashed(text: str) -> bool:
    """True if every requirement in ``text`` has a hash, so that nothing but the file that was locked is installed."""
    return all(" --hash=" in statement for statement in _requirements(text))


def locked(text: str) -> bool:
    """True if every requirement in ``text`` allows one version only (PEP 508; ``==`` or a URL)."""
    return all(_is_exact(statement) for statement in _requirements(text))


def read_text(path: Path) -> str:
    """The text of ``path``; raises :class:`RequirementsError` where it can't be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        step = "correct the name, or write the file in UTF-8"
        raise RequirementsError(f"cannot read {path}", evidence=str(error), step=step) from error


def _requirements(text: str) -> Iterator[str]:
    """The statements that are requirements: those that are no options, and ``-e``."""
    for statement in _statements(text):
        if not statement.startswith("-") or statement.startswith(("-e", "--editable")):
            yield statement


def _is_exact(statement: str) -> bool:
    from packaging.requirements import InvalidRequirement, Requirement  # noqa: PLC0415  # slow to import

    try:
        requirement = Requirement(_OPTION.split(statement, maxsplit=1)[0])
    except InvalidRequirement:
        return False  # a path, or -e, whose content may change
    exact = any(one.operator in {"==", "==="} and not one.version.endswith(".*") for one in requirement.specifier)
    return exact or requirement.url is not None


def _statements(text: str) -> Iterator[str]:
    """The logical lines of ``text``, without comments."""
    for line in _COMMENT.sub("", _CONTINUED.sub(" ", text)).splitlines():
        if statement := line.strip():
            yield statement


def _follow(path: Path, found: dict[Path, None]) -> None:
    if path in found:
        return
    found[path] = None
    for statement in _statements(read_text(path)):
        if (nested := _nested(path, statement)) is not None:
            _follow(nested, found)


def _expand(path: Path, above: tuple[Path, ...]) -> str:
    if path in above:
        chain = " -> ".join(str(file) for file in (*above, path))
        raise RequirementsError("requirements files include one another", evidence=chain, step="break the circle")
    lines: list[str] = []
    for statement in _statements(read_text(path)):
        nested = _nested(path, statement)
        if nested is None:
            lines.append(f"{statement}\n")
        elif statement.startswith(("-r", "--requirement")):
            lines.append(_expand(nested, (*above, path)))
    return "".join(lines)


def _nested(path: Path, statement: str) -> Path | None:
    """The file that ``statement`` of ``path`` includes by ``-r`` or ``-c``; None for a URL, which is left to uv."""
    match = _NESTED.fullmatch(statement)
    if match is None or "://" in match["name"]:
        return None
    return path.parent / match["name"].strip("\"'")

"""Requirements files, read as pip and uv read them (pip's documentation, Requirements File Format)."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import RequirementsError
from cannery.project.requirement_lines import RequirementLine, RequirementLines

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["parse_lines", "read_lines", "read_text"]

_COMMENT = re.compile(r"(^|(?<!\s)\s+)#.*$", re.MULTILINE)
_CONTINUED = re.compile(r"\\\r?\n")
_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")  # all that pip expands
_LINE_OPTION = re.compile(r"\s--?[a-z]")  # the beginning of options after a requirement: --hash, --config-settings
_HASH = re.compile(r"\s--hash[= ]\s*(\S+)")
_OPTION = re.compile(r"(--[a-z-]+|-[rcefi])(?:\s+|=|(?<=^-[rcefi])(?=\S)|$)(?P<value>.*)")
_LONG = {
    "-r": "--requirement",
    "-c": "--constraint",
    "-e": "--editable",
    "-f": "--find-links",
    "-i": "--index-url",
    "--pypi-url": "--index-url",
}
# pip's options that say where packages come from, in uv's words
_OF_INDEXES = {
    "--index-url": "--index-url={}",
    "--extra-index-url": "--extra-index-url={}",
    "--find-links": "--find-links={}",
    "--no-index": "--no-index",
    "--pre": "--prerelease=allow",
    "--trusted-host": "--allow-insecure-host={}",
}
_WITHOUT_EFFECT = {"--only-binary", "--prefer-binary", "--use-feature"}  # nothing but wheels is installed anyway


def read_lines(path: Path, project: Path | None = None) -> RequirementLines:
    """The requirements of ``path`` and of all files that it includes by ``-r``; what ``-c`` names are constraints.

    A relative path is meant from the folder of the file that has it, as people read it, or where there is no such file
    from that of one that includes it, or of the ``project``, as pip reads it there. Raises :class:`RequirementsError`
    for a file that can't be read, that includes itself, or has an unknown option.
    """
    found = RequirementLines()
    above = () if project is None else (project / "pyproject.toml",)  # which is no requirements file
    _read(path, above, found, found.lines)
    return found


def parse_lines(text: str, file: Path) -> RequirementLines:
    """The requirements in ``text``, whose paths are relative to the folder of ``file``; raises as above."""
    found = RequirementLines([file])
    for statement in _statements(text):
        _add(statement, file, (file,), found, found.lines)
    return found


def read_text(path: Path) -> str:
    """The text of ``path``; raises :class:`RequirementsError` where it can't be read."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        step = "correct the name, or write the file in UTF-8"
        raise RequirementsError(f"cannot read {path}", evidence=str(error), step=step) from error


def _statements(text: str) -> Iterator[str]:
    """The logical lines of ``text``, without comments, with variables of the environment expanded."""
    for line in _COMMENT.sub("", _CONTINUED.sub(" ", text)).splitlines():
        if statement := line.strip():
            yield _VARIABLE.sub(lambda match: os.environ.get(match[1]) or match[0], statement)


def _read(path: Path, above: tuple[Path, ...], found: RequirementLines, into: list[RequirementLine]) -> None:
    if path in above:
        chain = " -> ".join(str(file) for file in (*above[above.index(path) :], path))
        raise RequirementsError("requirements files include one another", evidence=chain, step="break the circle")
    found.files.append(path)
    for statement in _statements(read_text(path)):
        _add(statement, path, (*above, path), found, into)


def _add(
    statement: str, path: Path, above: tuple[Path, ...], found: RequirementLines, into: list[RequirementLine]
) -> None:
    match = _OPTION.fullmatch(statement) if statement.startswith("-") else None
    if match is None and not statement.startswith("-"):
        into.append(_requirement(statement, path, above))
        return
    option, value = (_LONG.get(match[1], match[1]), _unquoted(match["value"].strip())) if match else (statement, "")
    match option:
        case "--editable":
            into.append(_requirement(value, path, above))
        case "--requirement" | "--constraint" if "://" in value:
            found.remote.append(f"{option}={value}")
        case "--requirement":
            _read(_beside(path, value), above, found, into)
        case "--constraint":
            _read(_beside(path, value), above, found, found.constraints)
        case "--require-hashes":
            found.require_hashes = True
        case "--no-binary":
            found.from_source.append(value)
        case _ if option in _OF_INDEXES:
            found.options.append(_OF_INDEXES[option].format(_absolute(value, path, above)))
        case _ if option not in _WITHOUT_EFFECT:
            raise RequirementsError(
                f"{path.name} has an option that is none of a requirements file: {option}",
                evidence=statement,
                step="take that line out, or correct it",
            )


def _requirement(statement: str, path: Path, above: Iterable[Path]) -> RequirementLine:
    """A requirement of ``path``; a relative path that isn't there is meant from a file ``above``, as pip means it."""
    text = _LINE_OPTION.split(statement, maxsplit=1)[0].strip()
    hashes = tuple(_HASH.findall(statement))
    lines = [RequirementLine(text, file, hashes) for file in (path, *above)]
    return next((line for line in lines if line.path is None or _is_there(line.path)), lines[0])


def _absolute(value: str, path: Path, above: Iterable[Path]) -> str:
    """The address or folder of packages ``value``, a relative one from the folder of the file that names it."""
    if "://" in value or value.startswith("file:"):
        return value
    folders = [path.parent, *(file.parent for file in above)]
    existing = (folder / value for folder in folders if _is_there(folder / value))
    return str(next(existing, path.parent / value).absolute()) if value else value


def _is_there(path: Path) -> bool:
    """True where something is at ``path``; False, too, where nothing can be, as its name is too long."""
    return os.path.exists(path)  # noqa: PTH110  # which raises nothing


def _unquoted(value: str) -> str:
    """``value`` without the quotes around it, which shells would have taken."""
    return value[1:-1] if len(value) > 1 and value[0] == value[-1] and value[0] in "\"'" else value


def _beside(path: Path, value: str) -> Path:
    """The file that ``value`` is, seen from the file ``path``; without ``..``, as circles are known by equal paths."""
    return Path(os.path.normpath(path.parent / value))

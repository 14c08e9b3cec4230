"""Manifests of clusters and pipelines, in YAML or JSON, whose images are named by the folders of their projects."""

from __future__ import annotations

import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.errors import ConfigurationError
from cannery.workspace.files import explained, user_path

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from pathlib import Path

__all__ = ["Manifest", "NamedProject", "joined", "manifests_at"]

_SCHEME: Final = "cannery://"
_NAMED: Final = re.compile(rf"{_SCHEME}([^\s\"'`,;|<>\[\]{{}}]*)")
_ENDINGS: Final = {".yaml", ".yml", ".json"}
_OPENS_QUOTE: Final = " \t[{,:-"  # what stands before a quote that opens a text; any other is an apostrophe


class NamedProject(NamedTuple):
    """A project that a manifest names."""

    path: str  # of its folder, as it's written
    place: str  # of the name: "k8s/api.yaml:12"


@dataclass(frozen=True, slots=True)
class Manifest:
    """A file, or what came on standard input."""

    name: str  # for people
    text: str

    def projects(self) -> Iterator[NamedProject]:
        """The projects that it names outside comments, by ``cannery://FOLDER``."""
        for number, line in enumerate(self.text.splitlines(), 1):
            for match in _NAMED.finditer(line, 0, _comment_in(line)):
                yield NamedProject(match[1], f"{self.name}:{number}")

    def resolved(self, references: Mapping[str, str]) -> str:
        """The text with ``references``, by folders, in the place of names; all else is as it was."""
        return "".join(_resolved(line, references) for line in self.text.splitlines(keepends=True))


def _resolved(line: str, references: Mapping[str, str]) -> str:
    end = _comment_in(line)
    return _NAMED.sub(lambda match: references[match[1]], line[:end]) + line[end:]


def _comment_in(line: str) -> int:
    """Where the comment of a line begins (YAML 1.2, 6.6): a number sign that no text in quotes has; or its end."""
    quote = ""
    for position, letter in enumerate(line):
        before = line[position - 1] if position else " "
        if quote:
            quote = "" if letter == quote else quote
        elif letter in "\"'" and before in _OPENS_QUOTE:
            quote = letter
        elif letter == "#" and before in " \t":
            return position
    return len(line)


def manifests_at(paths: Sequence[str], *, recursive: bool = False) -> tuple[Manifest, ...]:
    """The manifests at ``paths``: files, folders of such, and ``-`` for standard input.

    Of a folder, those below its folders count where it's ``recursive``. Raises :class:`ConfigurationError` where
    nothing is there, :class:`MachineError` where a file can't be read.
    """
    return tuple(manifest for path in paths for manifest in _at(path, recursive=recursive))


def _at(text: str, *, recursive: bool) -> Iterator[Manifest]:
    if text == "-":
        yield Manifest("standard input", sys.stdin.read())
        return
    path = user_path(text)
    if not path.is_dir():
        yield _read(path)
        return
    below = path.rglob("*") if recursive else path.iterdir()
    files = sorted(each for each in below if each.suffix in _ENDINGS and each.is_file())
    if not files:
        raise ConfigurationError(
            f"there is no manifest in {text}",
            evidence=f"no file ends in {', '.join(sorted(_ENDINGS))}",
            step="name another folder, or let --recursive look into the folders below",
        )
    yield from map(_read, files)


def _read(path: Path) -> Manifest:
    if not path.exists():
        raise ConfigurationError(f"there is no file {path}", step="name a manifest, a folder of manifests, or -")
    try:
        with explained(path, "read"):
            return Manifest(str(path), path.read_bytes().decode())
    except UnicodeDecodeError as error:
        raise ConfigurationError(f"{path} is no text in UTF-8", evidence=str(error), step="name a manifest") from error


def joined(texts: Sequence[str]) -> str:
    """Several manifests as one, each a document of its own (YAML 1.2, 9.2)."""
    first, *others = (text if text.endswith("\n") or not text else f"{text}\n" for text in texts)
    return first + "".join(text if text.startswith("---") else f"---\n{text}" for text in others)

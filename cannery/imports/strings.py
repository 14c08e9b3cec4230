"""The strings of a source, sorted by what they may name: modules, parts of their names, codecs, folders, files."""

from __future__ import annotations

import re
from encodings import normalize_encoding
from encodings.aliases import aliases
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["attributes", "codec_module", "codecs", "dotted", "files", "folders", "gaps", "short", "words"]

_LONGEST = 120  # letters of a module's name that is believed to be one
_DOTTED = re.compile(r"\.{0,2}[A-Za-z_]\w*(?:\.[A-Za-z_]\w*)+(?::[A-Za-z_][\w.]*)?|[A-Za-z_]\w*:[A-Za-z_][\w.]*")
_ASKED = re.compile(r"[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)*")
_WORD = re.compile(r"\.?[A-Za-z_][\w-]*")
_GAP = re.compile(r"((?:[A-Za-z_]\w*\.)+(?:[A-Za-z_]\w*)?)(?:%s|\{\w*\})(?:\..*)?")
_FOLDER = re.compile(r"(?:[\w.-]*/)*([A-Za-z_]\w*)/?")
# Names of encodings that are no words of any other kind: utf-8-sig, cp1252, iso-8859-1, koi8_r.
_CODEC = re.compile(r"(?=.{0,24}[\d_-])[A-Za-z][A-Za-z\d]*(?:[ _.:-][A-Za-z\d]+)*")
_SHORTEST_CODEC = 4  # letters: u8 and r8 are types of numbers, too
_WITHOUT_ALIAS = re.compile(
    r"utf_8_sig|punycode|raw_unicode_escape|unicode_escape|cp\d{3,5}|mac_\w+|koi8_\w|iso8859_\d+"
)
# What reads as code, and what programs read as data all the same.
_FILE = re.compile(r"(?:.*[/*])?([\w-]*\.(?:pyi|pyx|pxd|pxi|c|cpp|h|hpp|a|rst))")


def short(texts: Iterable[str]) -> frozenset[str]:
    """The ``texts`` that aren't too long for a name."""
    return frozenset(text for text in texts if len(text) <= _LONGEST)


def dotted(texts: Iterable[str]) -> frozenset[str]:
    """Names of modules in packages, perhaps with attributes: ``package.module:attribute``."""
    return frozenset(text for text in texts if _DOTTED.fullmatch(text))


def words(texts: Iterable[str]) -> frozenset[str]:
    """Names without dots, but for one at the beginning."""
    return frozenset(text for text in texts if _WORD.fullmatch(text))


def attributes(texts: Iterable[str]) -> frozenset[str]:
    """Names that somebody may be asked for: ``name``, ``module.name``."""
    return frozenset(text.replace(":", ".") for text in texts if _ASKED.fullmatch(text))


def gaps(texts: Iterable[str]) -> frozenset[str]:
    """Beginnings of names that are completed elsewhere: ``package.`` of ``package.%s`` and ``package.{name}.part``."""
    return frozenset(match[1] for text in texts if (match := _GAP.fullmatch(text)))


def codecs(texts: Iterable[str]) -> frozenset[str]:
    """Names of Python's encodings, which a program hands on until somebody opens a file with them."""
    return frozenset(text for text in texts if _is_codec(text))


def codec_module(name: str) -> str:
    """The module of an encoding, by any name of that."""
    spelled = normalize_encoding(name).lower()
    return f"encodings.{aliases.get(spelled, spelled)}"


def folders(texts: Iterable[str]) -> frozenset[str]:
    """Last parts of paths."""
    return frozenset(match[1] for text in texts if (match := _FOLDER.fullmatch(text)))


def files(texts: Iterable[str]) -> frozenset[str]:
    """Names of files, and endings of names, of what looks like a part of a package's own code: ``.h``, ``form.c``."""
    return frozenset(match[1] for text in texts if (match := _FILE.fullmatch(text)))


def _is_codec(text: str) -> bool:
    if len(text) < _SHORTEST_CODEC or not _CODEC.fullmatch(text):
        return False
    spelled = normalize_encoding(text).lower()
    return spelled in aliases or spelled in aliases.values() or _WITHOUT_ALIAS.fullmatch(spelled) is not None

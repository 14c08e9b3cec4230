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
# Encodings that have one name, which is that of their module
_WITHOUT_ALIAS = {
    "cp1006", "cp720", "cp737", "cp856", "cp874", "cp875", "koi8_t", "koi8_u", "mac_arabic", "mac_croatian",
    "mac_farsi", "mac_romanian", "punycode", "raw_unicode_escape", "unicode_escape", "utf_8_sig",
}  # fmt: skip
# Names of encodings that are no words of any other kind: utf-8-sig, cp1252, koi8_r; not u8, which is a type of numbers
_CODECS = frozenset(
    name for name in {*aliases, *aliases.values(), *_WITHOUT_ALIAS} if re.fullmatch(r"(?=.*[\d_])[a-z]\w{3,}", name)
)
_SPELLING = str.maketrans("-. :", "____")
# What reads as code, and what programs read as data all the same.
_ENDINGS = (".pyi", ".pyx", ".pxd", ".pxi", ".c", ".cpp", ".h", ".hpp", ".a", ".rst")
_FILE = re.compile(r"(?:.*[/*])?([\w-]*\.\w+)")


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
    return frozenset(text for text in texts if text.lower().translate(_SPELLING) in _CODECS)


def codec_module(name: str) -> str:
    """The module of an encoding, by any name of that."""
    spelled = normalize_encoding(name).lower()
    return f"encodings.{aliases.get(spelled, spelled)}"


def folders(texts: Iterable[str]) -> frozenset[str]:
    """Last parts of paths."""
    return frozenset(match[1] for text in texts if (match := _FOLDER.fullmatch(text)))


def files(texts: Iterable[str]) -> frozenset[str]:
    """Names of files, and endings of names, of what looks like a part of a package's own code: ``.h``, ``form.c``."""
    return frozenset(match[1] for text in texts if text.endswith(_ENDINGS) and (match := _FILE.fullmatch(text)))

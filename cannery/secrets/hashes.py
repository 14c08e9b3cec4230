"""Hashes of passwords in data: dumps of databases, fixtures, lists of users. Code and prose have them as examples."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.kind import Kind, Secret
from cannery.secrets.names import is_configuration
from cannery.secrets.values import is_made_up

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["HASH", "hashes_in", "may_hold_hashes"]

HASH: Final = Kind("password-hash", "a hash of a password")
_DUMPS: Final = re.compile(r".*\.(?:sql|dump|ldif|jsonl|ndjson)", re.IGNORECASE)
_SALT: Final = rb"[A-Za-z0-9./+=]{2,64}"
_NUMBER: Final = rb"\d{1,8}"
_FORMS: Final = tuple(  # a word that each has, and the whole: Django, Werkzeug, passlib, crypt(5), PostgreSQL, MySQL
    (word, re.compile(rb"(?<![A-Za-z0-9./$])" + pattern + rb"(?![A-Za-z0-9/])"))
    for word, pattern in (
        (b"pbkdf2_sha", rb"pbkdf2_sha(?:1|256|512)\$%b\$%b\$[A-Za-z0-9+/]{26,88}={0,2}" % (_NUMBER, _SALT)),
        (b"bcrypt_sha256$$2", rb"bcrypt_sha256\$\$2[aby]\$\d\d\$[./A-Za-z0-9]{53}"),
        (b"$argon2", rb"(?:argon2)?\$argon2(?:id|i|d)\$v=\d+\$[mtp=\d,]{10,40}\$[A-Za-z0-9+/]{8,}\$[A-Za-z0-9+/]{20,}"),
        (b"pbkdf2:sha", rb"pbkdf2:sha(?:1|256|512)(?::%b)?\$%b\$[0-9a-f]{40,128}" % (_NUMBER, _SALT)),
        (b"scrypt:", rb"scrypt:%b:%b:%b\$%b\$[0-9a-f]{128}" % (_NUMBER, _NUMBER, _NUMBER, _SALT)),
        (b"scrypt$", rb"scrypt\$%b\$%b\$%b\$%b\$[A-Za-z0-9+/]{86}={0,2}" % (_SALT, _NUMBER, _NUMBER, _NUMBER)),
        (b"$pbkdf2", rb"\$pbkdf2(?:-sha(?:256|512))?\$%b\$[A-Za-z0-9./]{8,}\$[A-Za-z0-9./]{26,}" % _NUMBER),
        *((b"$2" + kind, rb"\$2%b\$\d\d\$[./A-Za-z0-9]{53}" % kind) for kind in (b"a", b"b", b"y")),
        *(
            (b"$%b$" % kind, rb"\$%b\$(?:rounds=\d+\$)?[./A-Za-z0-9]{4,16}\$[./A-Za-z0-9]{43,86}" % kind)
            for kind in (b"5", b"6")
        ),
        (b"$y$", rb"\$y\$[./A-Za-z0-9]{2,12}\$[./A-Za-z0-9]{8,86}\$[./A-Za-z0-9]{43}"),
        (b"SCRAM-SHA-256$", rb"SCRAM-SHA-256\$%b:[A-Za-z0-9+/=]{8,}\$[A-Za-z0-9+/]{43}=:[A-Za-z0-9+/]{43}=" % _NUMBER),
        (b"PASSWORD 'md5", rb"PASSWORD 'md5[0-9a-f]{32}'"),
        (b"BY PASSWORD '*", rb"BY PASSWORD '\*[0-9A-F]{40}'"),
        (b"AS '*", rb"AS '\*[0-9A-F]{40}'"),
        (b"AS '$A$", rb"AS '\$A\$\d{3}\$[^'\n]{40,80}'"),
        (b'"hashing_algorithm"', rb"\"password_hash\"\s*:\s*\"[A-Za-z0-9+/]{40,90}={0,2}\""),  # RabbitMQ
    )
)
_LONGEST: Final = 400


def may_hold_hashes(name: str) -> bool:
    """True for the name of a file that has data or settings in it."""
    return is_configuration(name) or _DUMPS.fullmatch(name) is not None


def hashes_in(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The hashes of passwords in ``window``, each with its place."""
    for word, pattern in _FORMS:
        if word in window:
            for match in pattern.finditer(window):
                if not is_made_up(match[0][:_LONGEST]):
                    yield Secret(HASH), match.start()

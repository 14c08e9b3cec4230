"""Passwords in addresses and in the headers of requests."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.kind import Kind, Secret
from cannery.secrets.values import entropy, is_placeholder, may_be_password

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ADDRESS", "HEADERS", "addresses_in", "has_password", "headers_in", "places_of_credentials"]

ADDRESS: Final = Kind("url-password", "a URL with a password")
_BEARER: Final = Kind("bearer", "a bearer token")
_BASIC: Final = Kind("basic-auth", "a user's name and password (basic authentication)")
HEADERS: Final = (_BEARER, _BASIC)

_MOST: Final = 5000  # that are looked at in a row
_AUTHORITY: Final = re.compile(rb"(?<=[A-Za-z0-9])://([^\s:/@\"'<>]{0,80}):([^\s/@\"'<>]{1,120})@[\w\[.-]")
_CREDENTIALS: Final = re.compile(rb"https?://(?:[^/\s:@]*:)?(?!\$)[^/\s:@]+@")  # a user alone may be a token
_HEADER: Final = re.compile(
    rb"(?i)authorization(?:[\"']?\s{0,3}[:=,]\s{0,3}(?:\n\s{0,40}-\s)?[\"']?|\s{1,3}[\"']|[\"'],\s{0,9}[\"']?value[\"']?\s?:\s?[\"'])(bearer|token|basic|apikey)\s+([A-Za-z0-9+/=_.~-]{8,2000})"
)
_WEAK: Final = frozenset(("pass", "passwd", "password", "pwd", "pw", "secret", "token", "user", "username", "you"))
_PORTS: Final = re.compile(r"\d+,")  # of several hosts in one address
_SHORTEST: Final = 16  # letters of a bearer token
_VARIED: Final = 2.5  # bits a letter: what a word that stands for a password rarely has


def has_password(data: bytes) -> bool:
    """True if ``data`` has an address of the web with a user or a password in it, whatever they are."""
    return _CREDENTIALS.search(data) is not None


def places_of_credentials(data: bytes) -> Iterator[int]:
    """The places of such addresses in ``data``."""
    return (match.start() for match in _CREDENTIALS.finditer(data))


def addresses_in(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The passwords in addresses of any scheme, each with its place; those that examples have are none."""
    start = window.find(b"://")
    for _ in range(_MOST):
        if start < 0:
            return
        match = _AUTHORITY.match(window, start)
        if match is not None and _is_password(match[1].decode("latin-1"), match[2].decode("latin-1")):
            yield Secret(ADDRESS), match.start()
        start = window.find(b"://", start + 3)


def headers_in(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The credentials in headers ``Authorization``, each with its place."""
    for match in _HEADER.finditer(window):
        value = match[2].decode("ascii")
        if match[1].lower() != b"basic":
            if len(value) >= _SHORTEST and may_be_password(value):
                yield Secret(_BEARER), match.start()
        elif (password := _basic(match[2])) and not is_placeholder(password):
            yield Secret(_BASIC), match.start()


def _is_password(user: str, password: str) -> bool:
    if password.startswith(("$", "{", "%", "<", "[", "*")) or password.lower() in _WEAK or user in {password, "scott"}:
        return False
    if is_placeholder(password) or "{" in password or _PORTS.match(password):
        return False
    return not password.isalpha() or entropy(password) > _VARIED


def _basic(value: bytes) -> str:
    try:
        user, _, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return ""
    return password if user else ""

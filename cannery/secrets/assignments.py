"""Passwords and keys that something is set to: by ``NAME = "value"`` in its forms, in configurations and in code."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.kind import Kind, Secret
from cannery.secrets.names import names_a_password, names_a_secret
from cannery.secrets.values import is_placeholder, looks_chosen, looks_drawn, may_be_passphrase, may_be_password

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["ASSIGNED", "WIREGUARD", "assigned", "assignments_in", "only_secret", "variables_in"]

ASSIGNED: Final = Kind("assigned", "what is named like a secret, with a value")
WIREGUARD: Final = Kind("wireguard", "a private key of WireGuard")

_HINTS: Final = (  # in small letters: every name of a secret has one
    b"pass", b"pwd", b"secret", b"token", b"credential", b"apikey", b"api_key", b"api-key", b"accesskey", b"access_key",
    b"access-key", b"privatekey", b"private_key", b"private-key", b"accountkey", b"account_key", b"auth", b"signing",
    b"encryption", b"master", b"shared", b"webhook", b"license", b"connection",
    b"fernet", b"psk", b"shared_key", b"app_key", b"appkey", b"bearer",
)  # fmt: skip
_NAME: Final = re.compile(rb"[A-Za-z0-9_$.-]{0,60}\Z")
_REST: Final = re.compile(rb"[A-Za-z0-9_.-]{0,40}")
_LONGEST_LINE: Final = 1000  # bytes that people write
_SOME_LINES: Final = 10
_MOST: Final = 10_000  # names that are looked at in a row
_OPENED: Final = re.compile(rb"\( ?[\"']\Z")  # a call with a name as its first argument
_LONGEST_CALL: Final = 3
_LONGEST: Final = 512  # bytes of a name and its value
# Between name and value: an equals sign or a colon, with quotes, a bracket and a type's name; in XML a tag's end
_GIVEN: Final = re.compile(
    rb"\\{0,3}[\"']?\]?[ \t]{0,30}(?:string(?=[ \t]{0,30}=)[ \t]{0,30})?"
    rb"(?:: ?(?:Final|bytes|SecretStr|&?(?:'static )?[Ss]tr(?:ing)?\??|\w+\[\w+\]) ?)?"
    rb"(?:=>|:=|\?=|=(?![=~])|:(?![:/])|>)[ \t]{0,30}"
    rb"(?:[rbuf]{1,2}(?=[\"'])|[|>][-+]?[ \t]*\n[ \t]{1,40}|&\w{1,40}[ \t])?"  # a block or an anchor of YAML
    rb"(?:\\{1,3}\"([^\"\\\n]+)\\|\"\"\"((?:[^\"\\\n]|\\.)+)\"\"\"|'''([^'\n]+)'''|\"((?:[^\"\\\n]|\\.)*)\""
    rb"|'((?:[^'\\\n]|\\.)*)'|([^\s\"'`,;<>(){}]+(?=[\s\"'`,;<>)}\]]|\Z)))"
)
# What has a name and a value apart: <add key="Password" value="…" />, {"name": "PASSWORD", "value": "…"}, the same in
# YAML, <name>password</name><value>…</value>, the same in property lists, a list of one below the name
_APART: Final = re.compile(
    rb"[\"']? +value=[\"']([^\"'\n]+)[\"']"
    rb"|(?:[\"']?,?\s{1,40}|[\"'],)[\"']?value[\"']?\s?[:=]\s?(?:\"([^\"\n]+)\"|'([^'\n]+)'|([^\s\"'`,;<>(){}]+))"
    rb"|</\w{1,20}>\s{0,40}<(?:value|string)>([^<\n]+)</(?:value|string)>"
    rb"|[\"']?:[ ]{0,9}\r?\n[ ]{0,40}-[ ]{1,9}[\"']?([^\s\"'`,;<>(){}]+)",
    re.IGNORECASE,
)
_ARGUMENT: Final = re.compile(rb"[\"'] ?, ?[\"']([^\"'\\\n]+)[\"']")  # define('DB_PASSWORD', '…')
_VARIABLE: Final = re.compile(rb"([A-Z_][A-Z0-9_]{2,60})=([\x20-\x7e]{4,400})(?=\0|\Z)")  # as a process has them
_VARIABLE_ENDS: Final = (b"PASSWORD=", b"PASS=", b"PASSWD=", b"PWD=", b"SECRET=", b"TOKEN=", b"_KEY=", b"APIKEY=")
_LARGEST_FILE: Final = 512  # bytes of one that is a secret and nothing else
_OF_ONE: Final = re.compile(r"([\w-]{3,64})(?:\.(?:txt|key|secret|token|pass|password))?")
_WIREGUARD: Final = re.compile(r"[A-Za-z0-9+/]{42}[AEIMQUYcgkosw048]=")


def assignments_in(window: bytes, *, is_code: bool) -> Iterator[tuple[Secret, int]]:
    """The secrets that ``window`` sets names to, each with its place; in code only what looks drawn at random."""
    seen = -1
    for place in _hints(window):
        if place <= seen:
            continue
        before = _NAME.search(window, max(0, place - 60), place)
        start = before.start() if before else place
        if _is_of_address(window, start) or (is_code and _is_minified(window, place)):
            continue  # a part of an address, or of code that no person wrote
        after = _REST.match(window, place)
        stop = seen = after.end() if after else place
        if window[start:stop].isascii() and names_a_secret(name := window[start:stop].decode("ascii").strip("-.$")):
            given = _given(window, start, stop)
            of_query = window[start - 1 : start] in {b"?", b"&"} and window[stop : stop + 1] == b"="
            if given is not None and (found := _judged(name, given, is_code=is_code, of_query=of_query)):
                yield found, start


def assigned(name: str, value: str, *, is_code: bool = False) -> Secret | None:
    """The secret in ``value``, where the ``name`` says that it is one."""
    if not names_a_secret(name) or is_placeholder(value):
        return None
    if name.lower().endswith("privatekey") and _WIREGUARD.fullmatch(value):
        return Secret(WIREGUARD, name=name)
    by_people = names_a_password(name)
    if is_code:
        is_one = (looks_chosen if by_people else looks_drawn)(value)
    else:
        is_one = may_be_password(value) or (by_people and may_be_passphrase(value))
    return Secret(ASSIGNED, name=name) if is_one else None


def only_secret(name: str, content: bytes) -> Secret | None:
    """The secret that is all of a file, which is named for it: as swarms and clusters hand them over."""
    named = _OF_ONE.fullmatch(name)
    value = content[: _LARGEST_FILE + 1].strip().decode("utf-8", "replace")
    if named is None or len(content) > _LARGEST_FILE or not value.isprintable() or " " in value:
        return None
    return assigned(named[1], value)


def variables_in(window: bytes) -> Iterator[Secret]:
    """The secrets among the environment variables that a part of a program's memory has."""
    for end in _VARIABLE_ENDS:
        place = window.find(end)
        while place >= 0:
            start = window.rfind(b"\0", max(0, place - 64), place) + 1
            given = _VARIABLE.match(window, start) if start else None
            if given and (found := assigned(given[1].decode(), given[2].decode())):
                yield found
            place = window.find(end, place + 1)


def _given(window: bytes, start: int, stop: int) -> re.Match[bytes] | None:
    """What the name between ``start`` and ``stop`` is set to."""
    end = stop + _LONGEST
    given = _GIVEN.match(window, stop, end) or _APART.match(window, stop, end)
    if given is None and _OPENED.search(window, max(0, start - _LONGEST_CALL), start):
        return _ARGUMENT.match(window, stop, end)
    return given


def _judged(name: str, given: re.Match[bytes], *, is_code: bool, of_query: bool) -> Secret | None:
    value = next((group for group in given.groups() if group is not None), b"").decode("utf-8", "replace")
    quoted = given.lastindex != len(given.groups()) or given.re is not _GIVEN
    if is_code and not quoted and not of_query:
        return None  # code that names other code
    value = value.partition("&")[0] if of_query else value
    return assigned(name, value, is_code=is_code)


def _is_of_address(window: bytes, start: int) -> bool:
    """True for a name behind a slash, or behind a colon that doesn't begin a symbol of Ruby's."""
    before = window[max(0, start - 2) : start]
    return before.endswith(b"/") or (before.endswith(b":") and not before[:-1].isspace() and before != b":")


def _is_minified(window: bytes, place: int) -> bool:
    start = max(0, place - _LONGEST_LINE)
    before = window[start:place]
    is_long = len(before) == _LONGEST_LINE and b"\n" not in before
    return is_long and before.count(b"\\n") < _SOME_LINES  # a source in a source map has its lines so


def _hints(window: bytes) -> list[int]:
    """The places in ``window`` at which the name of a secret may be."""
    small = window.lower()
    found = set()
    for hint in _HINTS:
        place = small.find(hint)
        while place >= 0:
            found.add(place)
            place = small.find(hint, place + 1)
    return sorted(found)[:_MOST]

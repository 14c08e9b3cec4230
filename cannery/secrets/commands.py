"""Secrets in commands: steps that an image was built by, what it starts, what looks after its health."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.addresses import addresses_in, has_password, headers_in
from cannery.secrets.key_files import keys_in
from cannery.secrets.kind import Kind, Secret
from cannery.secrets.names import names_a_secret
from cannery.secrets.sieve import sift
from cannery.secrets.tokens import tokens_in
from cannery.secrets.values import may_be_password

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["COMMANDS", "logins_in", "secret_in_command", "secret_of_variable"]

_GIVEN: Final = Kind("given", "what is named like a secret, with a value")
_LOGIN: Final = Kind("login", "a user's name and password")
_OPTION: Final = Kind("option", "a password as an argument")
_URL: Final = Kind("url-credentials", "a URL with a password")
COMMANDS: Final = (_GIVEN, _LOGIN, _OPTION, _URL)

_VALUE: Final = r"(?:\"([^\"]*)\"|'([^']*)'|([^\s\"',;|&)\]]+))"
_ASSIGNED: Final = re.compile(rf"(?<![\w$.])([A-Za-z_][\w.-]{{0,80}})\s?(?:=|:(?!//)\s)\s?{_VALUE}")
_OPTIONS: Final = re.compile(
    r"(?<!\S)[\"']?--?([a-z][\w-]{0,60}(?:pass\w{0,20}|pwd|secret|token|[_-]key|credentials?)"
    r"|password|passwd|passphrase|token|secret|apikey)[\"']?"
    rf"(?:=|\s*,\s*|\s+){_VALUE}",
    re.IGNORECASE,
)
_USER: Final = re.compile(
    r"\b(?:curl|wget|http|https|xh|twine|skopeo|helm|podman|docker|buildah|crane|oras|mc|ldapsearch|smbclient)\b"
    r"[^\n;&|]{0,400}?"
    rf"\s[\"']?(?:-u|-U|--user|--creds|--src-creds|--dest-creds|-a|--auth|--basic)[\"']?(?:=|\s*,\s*|\s+){_VALUE}"
)
_CLIENTS: Final = re.compile(
    r"\b(?:mysql\w{0,20}|mariadb\w{0,20}|sshpass|mongo\w{0,20}|ldapsearch|openssl|7z|unzip|zip|docker\s+login|podman\s+login"
    r"|helm\s+registry\s+login|skopeo\s+login|az\s+login|twine\s+upload|redis-cli|sqlcmd|bcp)\b"
    r"[^\n;&|]{0,400}?\s[\"']?(?:-p|-P|-a|-w|-passin\s+pass:|-passout\s+pass:)"
    rf"[\"']?\s*,?\s*(?!\d{{1,5}}\b){_VALUE}"
)
_PLACED: Final = re.compile(  # passwords by their place among the words
    rf"\becho\s+(?:-\w+\s+)?[\"']?[\w.-]+:(?=[^|\n]{{1,200}}\|\s*(?:sudo\s+)?chpasswd){_VALUE}"
    rf"|\bhtpasswd\s+-\w*b\w*\s+(?:-\w+\s+)*\S+\s+\S+\s+{_VALUE}"
    rf"|\bmysqladmin\s[^\n;&|]{{0,200}}?\bpassword\s+{_VALUE}"
    rf"|\bmachine\s+\S+\s+login\s+\S+\s+password\s+{_VALUE}"
)
_HASHED: Final = re.compile(r"\b(?:useradd|usermod)\s[^\n;&|]{0,200}?(?:-p|--password)[\s=]+[\"']?\$(?:\d|y|2[aby])\$")
_SET: Final = re.compile(  # a name and a value behind the word that sets it
    rf"(?m)(?:^[^\S\n]*(?:ENV|ARG)|\b(?:config|configure)\s+set)\s+[\"']?(?:\S{{0,200}}:)?([A-Za-z_][\w.-]{{0,80}})[\"']?\s+{_VALUE}"
)
_LONGEST: Final = 1 << 18  # letters of a command
_NO_VALUE: Final = re.compile(  # a reference, an option, a path, a switch, a port
    r"[$%<{`@*]|/|-|(?:true|false|yes|no|none|null|on|off|auto|stdin|prompt)$|\d{1,6}$|env:|file:|\.\.?/", re.IGNORECASE
)


def secret_in_command(command: str) -> Secret | None:
    """The first secret in ``command``, which is a shell's or a list's words one behind the other."""
    return next(_in_command(command[:_LONGEST]), None)


def secret_of_variable(name: str, value: str) -> Secret | None:
    """The secret that an environment variable is set to."""
    if names_a_secret(name) and _is_value(value):
        return Secret(_GIVEN, name=name)
    data = value.encode("utf-8", "surrogateescape")
    if has_password(data):
        return Secret(_URL)
    if header := next(headers_in(b"Authorization: " + data), None):
        return header[0]
    return next((Secret(found.kind) for found in _in_data(data)), None) or secret_in_command(value)


def _in_command(command: str) -> Iterator[Secret]:
    data = command.encode("utf-8", "surrogateescape")
    yield from _in_data(data)
    if has_password(data):
        yield Secret(_URL)
    for pattern in (_ASSIGNED, _OPTIONS, _SET):
        for match in pattern.finditer(command):
            name, value = match[1], _value_of(match)
            if names_a_secret(name) and _is_value(value):
                yield Secret(_OPTION if pattern is _OPTIONS else _GIVEN, name=name)
    yield from (secret for secret, _ in _logins(command, _is_value))


def logins_in(script: str) -> Iterator[tuple[Secret, int]]:
    """The passwords that commands of a script are given, each with its place; what may be a word is none."""
    return _logins(script, may_be_password)


def _logins(command: str, is_value: Callable[[str], bool]) -> Iterator[tuple[Secret, int]]:
    for match in _USER.finditer(command):
        user, colon, password = _value_of(match).partition(":")
        if colon and user and is_value(password):
            yield Secret(_LOGIN), match.start()
    for pattern in (_CLIENTS, _PLACED):
        for match in pattern.finditer(command):
            if is_value(_value_of(match)):
                yield Secret(_OPTION), match.start()
    for match in _SET.finditer(command):
        if names_a_secret(match[1]) and is_value(_value_of(match)):
            yield Secret(_GIVEN, name=match[1]), match.start()
    for match in _HASHED.finditer(command):
        yield Secret(_LOGIN), match.start()


def _in_data(data: bytes) -> Iterator[Secret]:
    yield from (secret for secret, _ in tokens_in(sift(data)))
    for look in (keys_in, addresses_in, headers_in):
        yield from (secret for secret, _ in look(data))


def _value_of(match: re.Match[str]) -> str:
    return next((group for group in reversed(match.groups()) if group is not None), "")


def _is_value(value: str) -> bool:
    """True for a value that is more than the place of one, a number or a word that switches something."""
    return may_be_password(value) or (bool(value) and not _NO_VALUE.match(value))

"""Files that hold credentials by their form, under whatever name: of clusters, registries, clouds and servers."""

from __future__ import annotations

import base64
import re
from typing import TYPE_CHECKING, Final

from cannery.secrets.addresses import places_of_credentials
from cannery.secrets.client_documents import CLIENT_FORMS
from cannery.secrets.form import Form, is_no_example, may_be_chosen
from cannery.secrets.kind import Kind, Secret
from cannery.secrets.system_documents import SYSTEM_FORMS

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["FORMS", "INDEX", "documents_in", "index_passwords", "names_indexes"]


def _is_login(value: bytes) -> bool:
    """True for a user and a password in Base64, as clients of registries keep them: whatever they are."""
    try:
        user, colon, password = base64.b64decode(value, validate=True).decode("utf-8").partition(":")
    except ValueError:
        return False
    return bool(user and colon and password)


FORMS: Final = (
    Form(
        Kind("kubeconfig", "a cluster's key (kubeconfig)"),
        (b"client-key-data", ),
        re.compile(rb"client-key-data[\"']?:\s*[\"']?([A-Za-z0-9+/=]{40,})"),
    ),
    Form(
        Kind("kubeconfig-token", "a cluster's token (kubeconfig)"),
        (b"clusters", b"users", b"token:"),
        re.compile(rb"users:[\s\S]{0,4000}?\n\s{1,40}token:\s*[\"']?([\w.:-]{16,})"),
        is_no_example,
        b"users:",
    ),
    *(
        Form(
            Kind("kubernetes-secret", "a secret of Kubernetes"),
            (b"kind:", b"Secret", start),
            re.compile(
                rb"kind:\s{0,9}[\"']?Secret\b(?:(?!\n---)[\s\S]){0,2000}?\n" + data
                if start == b"kind:"
                else data + rb"(?:(?!\n---)[\s\S]){0,2000}?\nkind:\s{0,9}[\"']?Secret\b"
            ),
            start=start,
        )
        for start in (b"kind:", b"data:", b"stringData:")
        for data in (rb"(?:data|stringData):\s*\n\s{1,20}[\w.-]{1,80}:\s*[\"']?([^\s\"'{$<]{6,400})",)
    ),
    Form(
        Kind("registry-login", "a registry's password (Docker's auth)"),
        (b'"auth', ),
        re.compile(rb"\"auth\"\s*:\s*\"([A-Za-z0-9+/=]{8,})\""),
        _is_login,
    ),
    Form(
        Kind("registry-identity", "a registry's identity token"),
        (b'"identitytoken"', ),
        re.compile(rb"\"identitytoken\"\s*:\s*\"([^\"]{16,})\""),
        is_no_example,
    ),
    Form(
        Kind("terraform-state", "Terraform's state, which has passwords in it"),
        (b'"terraform_version"',),
        re.compile(
            rb"(\"terraform_version\")\s*:\s*\"\d[\w.-]*\"(?=[\s\S]{0,2000}?\"(?:lineage|serial|resources|outputs)\"\s*:)"
        ),
        start=b'"terraform_version"',
    ),
    Form(
        Kind("shadow", "hashes of passwords (shadow)"),
        (b":$", b":"),
        re.compile(rb"(?m)^[a-z_][\w.-]{0,31}:(\$(?:1|2[abxy]?|5|6|7|y|gy|sha1|argon2\w*)\$[^:\s]{8,}):\d*:"),
    ),
    *(
        Form(
            Kind("htpasswd", "hashes of passwords (htpasswd)"),
            (mark,),
            re.compile(rb"(?m)(?:^|(?<=[\"']))[\w.@-]{1,64}:(\$(?:apr1|2[aby])\$[./A-Za-z0-9$]{20,}|\{SHA\}[A-Za-z0-9+/]{27}=)(?=\s*$|[\"'])"),
        )
        for mark in (b":$apr1$", b":$2a$", b":$2b$", b":$2y$", b":{SHA}")
    ),
    Form(
        Kind("service-account", "a key of a service account of Google"),
        (b'"service_account"', b'"private_key"'),
        re.compile(rb"\"private_key\"\s*:\s*\"([^\"]{100,})"),
    ),
    Form(
        Kind("mysql-client", "a password of MySQL (my.cnf)"),
        (b"[client", b"password"),
        re.compile(rb"\[client[^\]]{0,40}\][^\[]{0,2000}?\npassword\s{0,9}=\s{0,9}[\"']?([^\s\"'#$<]{3,})"),
        is_no_example,
        b"[client",
    ),
    Form(
        Kind("netrc", "passwords (netrc)"),
        (b"machine", b"login", b"password"),
        re.compile(rb"(?m)^[^\S\n]*machine\s+\S+\s+login\s+\S+\s+password\s+([^\s$<]{3,})"),
        is_no_example,
    ),
    *(
        Form(
            Kind("json-web-key", "a private key (JWK)"),  # RFC 7518, section 6
            (b'"kty"', b'"%b"' % part),
            re.compile(rb"\"%b\"\s*:\s*\"([\w-]{22,1400})\"" % part),
        )
        for part in (b"d", b"k")
    ),
    *(
        Form(
            Kind("server-password", "a password in a server's settings"),  # of OpenLDAP, nslcd, Redis, HAProxy, msmtp
            (mark,),
            re.compile(
                rb"(?m)^[ \t]*(?:user[ \t]+\S+[ \t]+)?%b[ \t]+[\"']?([^\s\"'$<{%%]{4,200})[\"']?[ \t]*$" % mark
            ),
            may_be_chosen if mark == b"password" else is_no_example,
        )
        for mark in (b"bindpw", b"rootpw", b"requirepass", b"masterauth", b"insecure-password", b"password")
    ),
    *(
        Form(
            Kind("sql-password", "a password in SQL"),
            (mark,),
            re.compile(rb"(?i)\b(?:identified[ \t]+by|with(?:[ \t]+encrypted)?[ \t]+password)[ \t]+'([^'\n]{4,200})'"),
            may_be_chosen,
        )
        for mark in (b"IDENTIFIED BY '", b"identified by '", b"PASSWORD '", b"password '")
    ),
    *(
        Form(
            Kind("connection-string", "a connection string with a password"),
            (mark,),
            re.compile(
                rb"(?i)\b(?:server|data source|host|address|user id|uid|username|database)=[^;\"'\n]{1,200};"
                rb"(?:[^\"'\n]{0,300};)?[ ]?(?:pwd|password)=([^;\"'\s]{4,200})"
            ),
            may_be_chosen,
        )
        for mark in (b"Pwd=", b"PWD=", b"pwd=", b"Password=", b"password=")
    ),
    *(
        Form(
            Kind("pgpass", "passwords of PostgreSQL (pgpass)"),
            (mark,),
            re.compile(rb"(?m)^[\w.*-]+:(?:\d{2,5}|\*):[\w*-]+:[\w*-]+:([^\s:]{4,})$"),
            is_no_example,
        )
        for mark in (b":5432:", b":5433:", b":6432:", b":*:")  # its ports, pgbouncer's, and any
    ),
    *SYSTEM_FORMS,
    *CLIENT_FORMS,
)  # fmt: skip
_TRIES: Final = 50
INDEX: Final = Kind("index-password", "a package index's password")
# Files that tell installers of package indexes
_NAMES_INDEXES: Final = re.compile(
    r"pip\.(conf|ini)|(uv|poetry|pyproject|pylock.*)\.toml|(uv|poetry|pdm|Pipfile)\.lock|Pipfile|.*requirements.*\.(txt|in)"
    r"|direct_url\.json"
)


def documents_in(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The secrets in ``window`` by the form of the document that it is a part of, each with its place."""
    present = _Present(window)
    for form in FORMS:
        if all(map(present.__getitem__, form.words)):
            for match in _matches(form, window):
                if form.is_right(match[1]):
                    yield Secret(form.kind), match.start(1)


class _Present(dict[bytes, bool]):
    """Which words a text has; each is looked for once, when it's asked about."""

    def __init__(self, text: bytes) -> None:
        super().__init__()
        self._text = text

    def __missing__(self, word: bytes) -> bool:
        found = self[word] = word in self._text
        return found


def _matches(form: Form, window: bytes) -> Iterator[re.Match[bytes]]:
    """Where the pattern is; one that looks far ahead is tried a few times, however often its beginning is there."""
    if not form.start:
        yield from form.pattern.finditer(window)
        return
    place = -1
    for _ in range(_TRIES):
        place = window.find(form.start, place + 1)
        if place < 0:
            return
        if match := form.pattern.match(window, place):
            yield match


def names_indexes(name: str) -> bool:
    """True for a file that tells installers of package indexes, whose addresses may have passwords of any kind."""
    return _NAMES_INDEXES.fullmatch(name) is not None


def index_passwords(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The passwords of package indexes in such a file, each with its place."""
    return ((Secret(INDEX), place) for place in places_of_credentials(window))

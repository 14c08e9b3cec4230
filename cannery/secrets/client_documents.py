"""Files of people's tools that hold credentials by their form: of installers, of clients of APIs, of Windows."""

from __future__ import annotations

import re
from typing import Final

from cannery.secrets.form import Form, is_no_example, may_be_chosen
from cannery.secrets.kind import Kind

__all__ = ["CLIENT_FORMS"]

_BASE64: Final = rb"([A-Za-z0-9+/]{40,}={0,2})"


def _of_installers() -> tuple[Form, ...]:
    """Of Poetry and conda, which keep tokens under names that say nothing."""
    tokens = Kind("index-token", "a token of a package index")
    uuid = rb"[0-9a-f]{8}-(?:[0-9a-f]{4}-){3}[0-9a-f]{12}"
    return (
        Form(
            tokens,
            (b"[pypi-token]",),
            re.compile(rb"\[pypi-token\]\s*(?:#[^\n]*\s*)*[\w.-]+\s*=\s*\"([^\"\s]{16,})\""),
            is_no_example,
        ),
        Form(tokens, (b"/t/",), re.compile(rb"https?://[^/\s:@]+/t/([a-z]{2}-%b)/" % uuid)),
    )


def _of_interfaces() -> tuple[Form, ...]:
    """Of Postman, of browsers' records of requests (HAR), and of clients of PostgreSQL."""
    postman = Kind("postman-secret", "a secret of Postman")
    value, secret = rb"\"value\"\s*:\s*\"([^\"{]{8,400})\"", rb"\"type\"\s*:\s*\"secret\""
    named = rb"\"name\"\s*:\s*\"[\w.-]{0,40}(?:sess|SESS|sid\b|auth|jwt|JWT)[\w.-]{0,40}\""
    session = named + rb"\s*,\s*\"value\"\s*:\s*\"([^\"]{16,4000})\""
    word = rb"[^\s'\"]{0,99}[^\s'\",][ ]+"  # what ends with a comma is an argument of a call
    others, password = rb"(?:\w{2,20}=%b){0,8}" % word, rb"password=([^\s'\"$%{<]{4,200})"
    known = rb"(?:host|hostaddr|port|user|dbname)=%b" % word
    return (
        Form(postman, (b'"value"', b'"secret"'), re.compile(rb"%b\s*,\s*%b" % (value, secret)), is_no_example),
        Form(postman, (b'"value"', b'"secret"'), re.compile(rb"%b\s*,\s*%b" % (secret, value)), is_no_example),
        Form(Kind("session-cookie", "the cookie of a session"), (b'"cookies"', b'"request"'), re.compile(session)),
        Form(
            Kind("connection-string", "a connection string with a password"),
            (b" password=", b"="),
            re.compile(rb"\b%b%b%b" % (known, others, password)),
            may_be_chosen,
        ),
    )


def _of_windows() -> tuple[Form, ...]:
    """Of its installer (unattend.xml), of remote desktops, and of .NET."""
    unattended = rb"<\w{0,40}Password>\s*<Value>([^<\s]{4,400})</Value>"
    return (
        Form(
            Kind("installer-password", "a password that an installer sets"),
            (b"Password>", b"<Value>"),
            re.compile(unattended),
            is_no_example,
        ),
        Form(
            Kind("desktop-password", "a password of a remote desktop (.rdp)"),
            (b"password 51:b:",),
            re.compile(rb"(?m)^password 51:b:([0-9A-Fa-f]{100,})"),
        ),
        Form(
            Kind("private-key-xml", "a private key (RSAKeyValue)"),
            (b"<RSAKeyValue>", b"<D>"),
            re.compile(rb"<D>\s*" + _BASE64),
        ),
    )


def _of_keys() -> tuple[Form, ...]:
    """Of key pairs in YAML (RFC 7517), of Consul and Nomad, and of Solana."""
    gossip = rb"\bencrypt[\"']?\s{0,20}[=:]\s{0,20}[\"']([A-Za-z0-9+/]{43}=|[A-Za-z0-9+/]{22}==)[\"']"
    return (
        *(
            Form(
                Kind("json-web-key", "a private key (JWK)"),
                (b"kty:", part + b":"),
                re.compile(rb"(?m)^[ \t-]{0,40}%b:[ ]+[\"']?([\w-]{22,1400})[\"']?[ ]*$" % part),
            )
            for part in (b"d", b"k")
        ),
        Form(Kind("gossip-key", "a key that servers of a cluster share"), (b"encrypt",), re.compile(gossip)),
        Form(
            Kind("solana-key", "a key of Solana"),
            (b",",),
            re.compile(rb"\A\s*\[((?:\s*\d{1,3}\s*,){63}\s*\d{1,3}\s*)\]\s*\Z"),
            _are_bytes,
        ),
    )


def _are_bytes(numbers: bytes) -> bool:
    """True for a list of numbers as varied as the bytes of a key."""
    values = [int(number) for number in numbers.split(b",")]
    return max(values) < 1 << 8 and len(set(values)) > len(values) // 2


CLIENT_FORMS: Final = (*_of_installers(), *_of_interfaces(), *_of_windows(), *_of_keys())

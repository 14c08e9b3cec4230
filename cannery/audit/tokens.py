"""Secrets by what they look like: access tokens, private keys, and variables named for what they hold."""

from __future__ import annotations

import re
from typing import Final

__all__ = ["named_like_a_secret", "token_in"]

# How a token begins -> its kind, and a pattern of the whole
_TOKENS: Final = {
    b"AKIA": ("an access key of AWS", re.compile(rb"\bAKIA[0-9A-Z]{16}\b")),
    b"ghp_": ("a token of GitHub", re.compile(rb"\bghp_[A-Za-z0-9]{36}\b")),
    b"github_pat_": ("a token of GitHub", re.compile(rb"\bgithub_pat_[A-Za-z0-9_]{60,}\b")),
    b"glpat-": ("a token of GitLab", re.compile(rb"\bglpat-[A-Za-z0-9_-]{20,}\b")),
    b"xoxb-": ("a token of Slack", re.compile(rb"\bxoxb-[0-9]+-[0-9A-Za-z-]{20,}\b")),
    b"sk_live_": ("a key of Stripe", re.compile(rb"\bsk_live_[0-9A-Za-z]{20,}\b")),
    b"pypi-AgEI": ("a token of PyPI", re.compile(rb"\bpypi-AgEI[A-Za-z0-9_-]{50,}\b")),
    b"PRIVATE KEY-----": (
        "a private key",  # with something in it: the first line alone stands in many programs
        re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY-----(?:\\n|\s)+[A-Za-z0-9+/=\\\s]{64}"),
    ),
}
_NAMED: Final = re.compile(
    r"(?:^|_)(?:PASS(?:WORD|WD|PHRASE)?|SECRET|TOKEN|API_?KEY|ACCESS_?KEY|PRIVATE_?KEY|CREDENTIALS?)(?:_|$)",
    re.IGNORECASE,
)
# Variables that name the place of a secret, or something else about it.
_NOT_ITSELF: Final = re.compile(r"(?:_FILE|_PATH|_DIR|_URL|_NAME|_ID|_TTL|_TIMEOUT|_HEADER)$", re.IGNORECASE)


def token_in(data: bytes) -> str:
    """The kind of token or key in ``data``, such as "a token of GitHub"; empty where there is none."""
    for start, (kind, whole) in _TOKENS.items():
        if start in data and whole.search(data):
            return kind
    return ""


def named_like_a_secret(variable: str, value: str) -> bool:
    """True where a variable's name says that it holds a secret, and its value is more than the place of one."""
    meant_elsewhere = value.startswith(("/", "$", "file:"))
    return bool(value) and not meant_elsewhere and bool(_NAMED.search(variable)) and not _NOT_ITSELF.search(variable)

"""Values, told apart: what may be a secret, and what stands in its place: a variable, an example, a word of prose."""

from __future__ import annotations

import math
import re
from collections import Counter
from typing import Final

__all__ = [
    "entropy",
    "is_made_up",
    "is_placeholder",
    "looks_chosen",
    "looks_drawn",
    "may_be_passphrase",
    "may_be_password",
]

_REFERENCE: Final = re.compile(  # to where the secret is: a variable, a template, a file, a vault, a call
    r"[$%&*#@<{\[(/~|\\!]|\.{1,2}/|(?:env|file|vault|secret|op|ref|arn|data|ssm|awssm|gcp|azure|kms|keyring|https?|sha\d+)"
    r"[:+]|ENC\[|!vault|.*(?:\$\{|\{\{|\$\(|%\(|<[a-z]|\{[a-z_]*\}|environ|getenv|process\.env|\(\)|\[\w*\]|::|->)"
    r"|[a-z_]\w*(?:\.\w+)+:\w+(?:\.\w+)*$",  # or code: package.module:name
    re.IGNORECASE | re.DOTALL,
)
_STANDS_FOR_ONE: Final = re.compile(  # what nobody has in a password, and everybody in the example of one
    r"example|change[-_ ]?(?:me|it|this)|place[-_ ]?holder|redacted|dummy|sample|(?:^|[-_ ])(?:your|my|some)[-_ ]|^your"
    r"|x{4}|\*{3}|\.{3}|-{3}|_{3}|insert|replace|todo|fixme|(?:^|[-_ ])(?:fake|mock|foo|bar|test|demo)(?:[-_ \d]|$)"
    r"|lorem|must|should|do[-_ ]?not|insecure|invalid|[-_](?:here|value)$",
    re.IGNORECASE,
)
_OF_NAMES: Final = re.compile(r"\s|pass|secret|token|key|auth|cred|user|admin", re.IGNORECASE)  # a name, a text
_NEVER_DRAWN: Final = re.compile(  # what no generator of random letters gives
    rb"example|change_?me|placeholder|redacted|dummy|fake|x{5}|your_|insert|\.{3}|0{6}|abcdef|ghijkl|mnopqr|uvwxyz"
    rb"|012345|123456|234567|345678|456789|deadbeef",
    re.IGNORECASE,
)
_WORDS: Final = frozenset((
    "password", "passwd", "passphrase", "secret", "token", "none", "null", "nil", "true", "false", "undefined",
    "default", "empty", "required", "optional", "string", "str", "bytes", "hidden", "private", "public", "user",
    "username", "admin", "root", "guest", "login", "enabled", "disabled", "credentials", "unknown", "auto", "plain",
    "basic", "bearer", "value", "key", "pass", "pwd", "yes", "off",
))  # fmt: skip
_PUBLISHED: Final = frozenset((  # examples that standards print (RFC 5849, 6749, 6750, 7009), and so do manuals
    "2YotnFZFEjr1zCsicMWpAA", "tGzv3JOkF0XG5Qx2TlKWIA", "gX1fBat3bV", "mF_9.B5f-4.1JqM", "hh5s93j4hdidpola",
    "kkk9d7dh3k39sjv7", "dpf43f3p2l4k3l03", "kd94hf93k423kf44", "hdhd0244k9j7ao03", "nnch734d00sl2jdk",
    "pfkkdhi9sl3r4s00", "ad180jjd733klru7",
    "Eby8vdM02xNOcqFlqUwJPLlmEtlCDXJ1OUzFT50uSRZ6IFsuFq2UVErCz4I6tq/K1SZFPTOtr/KBHBeksoGMGw==",  # Azurite's own
))  # fmt: skip
_SHORTEST: Final = 6
_LONGEST: Final = 400
_LENGTH_OF_KEYS: Final = 16
# Bits a letter: those of words are below 3, of hexadecimal digits close to 4
_DRAWN: Final = 2.2  # at least, of a token, whose form alone says much
_VARIED: Final = 2.5  # of a password in a configuration
_RANDOM: Final = 3.0  # of one in code
_HIGH: Final = 3.5  # of a key in code
_PASSPHRASE: Final = re.compile(r"[a-z]{8,}|[a-z]+(?:[ -][a-z]+){3,}")
_OF_PROSE: Final = re.compile(
    r"\b(?:a|an|the|your|you|this|is|are|be|to|for|of|in|on|or|and|not|no|with|must|please|enter|at|by|as|if|it|from)\b"
    r"|pass|secret|token|key|auth|cred|crypt|ed$|ing$|able$|method|mode|type"
)
_WORDLIKE: Final = re.compile(r"(?:[^\W\d_]|\\u[0-9a-fA-F]{4}|[-_.: /])*")  # identifiers, prose


def entropy(text: str | bytes) -> float:
    """Shannon's entropy of ``text``, in bits a letter."""
    total = len(text)
    return -sum(count / total * math.log2(count / total) for count in Counter(text).values()) if total else 0.0


def is_made_up(token: bytes) -> bool:
    """True for a token as documents and tests have them: with a word for that in it, or too regular to be drawn."""
    return entropy(token) < _DRAWN or _NEVER_DRAWN.search(token) is not None


def is_placeholder(value: str) -> bool:
    """True for what stands in a secret's place: an example, an empty word, a row of the same letters."""
    bare = value.strip("'\"`<>[](){} ").lower()
    return bare in _WORDS or value in _PUBLISHED or len(set(bare)) <= 2 or _STANDS_FOR_ONE.search(bare) is not None  # noqa: PLR2004


def may_be_password(value: str) -> bool:
    """True for what somebody may have chosen as a password: letters beside digits or signs, and no reference."""
    if not _SHORTEST <= len(value) <= _LONGEST or _REFERENCE.match(value) or is_placeholder(value):
        return False
    if value.count(" ") > 1 or value.count(":") > 3:  # noqa: PLR2004
        return False  # a sentence, a record
    return not _WORDLIKE.fullmatch(value) and entropy(value) >= _VARIED and not value.isdecimal()


def may_be_passphrase(value: str) -> bool:
    """True for a word, or some in a row, that only a password has for a value: no sentence, no name of a kind."""
    if is_placeholder(value) or _OF_PROSE.search(value):
        return False
    return _PASSPHRASE.fullmatch(value) is not None


def looks_chosen(value: str) -> bool:
    """True for a password that no code has for another reason: digits among its letters, no name, no sentence."""
    return may_be_password(value) and _is_unlike_code(value) and entropy(value) >= _RANDOM


def looks_drawn(value: str) -> bool:
    """True for a key or a token that code has for no other reason: as long and as varied as no word of an example."""
    return len(value) >= _LENGTH_OF_KEYS and looks_chosen(value) and entropy(value) >= _HIGH


def _is_unlike_code(value: str) -> bool:
    return _OF_NAMES.search(value) is None and any(map(str.isdigit, value))

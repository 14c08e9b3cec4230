"""Private keys as ``cosign generate-key-pair`` writes them: scrypt and NaCl's secret box (go-securesystemslib)."""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from functools import cache
from typing import Final

import msgspec

from cannery.errors import ConfigurationError, ToolError
from cannery.workspace.documents import json_value
from cannery.workspace.extras import installing

__all__ = ["der_in"]

_PEM: Final = re.compile(rb"-----BEGIN [A-Z ]+-----\s+(.*?)-----END ", re.DOTALL)
_MOST_WORK: Final = 1 << 20  # of scrypt's N: cosign takes 2**16
_MOST_MEMORY: Final = 1 << 30  # bytes


class _Parameters(msgspec.Struct):
    """scrypt's parameters."""

    N: int
    r: int
    p: int


class _Kdf(msgspec.Struct):
    """How a key is made of a password."""

    name: str
    params: _Parameters
    salt: bytes


class _Cipher(msgspec.Struct):
    """How the private key is enciphered."""

    name: str
    nonce: bytes


class _Encrypted(msgspec.Struct):
    """The whole document."""

    kdf: _Kdf
    cipher: _Cipher
    ciphertext: bytes


@cache  # a password takes a part of a second to be made a key
def der_in(text: bytes, password: bytes | None, name: str) -> bytes:
    """The private key in ``text``, in DER; ``name`` is for messages.

    Raises :class:`ConfigurationError` for a wrong password, :class:`ToolError` where PyNaCl isn't installed.
    """
    try:
        import nacl.exceptions  # noqa: PLC0415  # needed for this form alone
        import nacl.secret  # noqa: PLC0415
    except ImportError as error:
        step = installing("sign")
        raise ToolError(f"{name} is in cosign's own form, and what reads it is not installed", step=step) from error
    found = _document(text, name)
    work = found.kdf.params
    if (found.kdf.name, found.cipher.name) != ("scrypt", "nacl/secretbox") or work.N > _MOST_WORK:
        raise ConfigurationError(f"{name} is enciphered in a way that isn't known", evidence=str(found.kdf))
    key = hashlib.scrypt(
        password or b"", salt=found.kdf.salt, n=work.N, r=work.r, p=work.p, dklen=32, maxmem=_MOST_MEMORY
    )
    try:
        return bytes(nacl.secret.SecretBox(key).decrypt(found.ciphertext, found.cipher.nonce))
    except nacl.exceptions.CryptoError as error:
        step = "set CANNERY_KEY_PASSWORD, or COSIGN_PASSWORD, to that of the key"
        raise ConfigurationError(f"the password does not fit the key {name}", step=step) from error


def _document(text: bytes, name: str) -> _Encrypted:
    try:
        inner = _PEM.search(text)
        data = base64.b64decode(inner[1] if inner else b"")
        return msgspec.convert(json_value(data), _Encrypted)
    except (ValueError, binascii.Error, msgspec.ValidationError) as error:
        raise ConfigurationError(f"{name} is no key of cosign's", evidence=str(error)) from error

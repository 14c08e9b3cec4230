"""Checksums that issuers of tokens put into them: what has a right one is no example that somebody made up."""

from __future__ import annotations

import base64
import binascii
import json
import string
from typing import Final

__all__ = ["decoded", "ends_in_base62_crc32", "ends_in_hex_crc32", "is_bech32", "is_jwt"]

_BASE62: Final = (string.digits + string.ascii_uppercase + string.ascii_lowercase).encode()
_BASE62_LENGTH: Final = 6  # letters that hold any CRC-32
_HEX_LENGTH: Final = 8
_BECH32: Final = b"QPZRY9X8GF2TVDW0S3JN54KHCE6MUA7L"
_GENERATOR: Final = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)  # BIP 173


def ends_in_base62_crc32(token: bytes) -> bool:
    """True where the last six letters are the CRC-32 of those before, less the prefix: GitHub and npm."""
    body = token.rpartition(b"_")[2]
    number = binascii.crc32(body[:-_BASE62_LENGTH])
    letters = bytearray()
    for _ in range(_BASE62_LENGTH):
        number, digit = divmod(number, len(_BASE62))
        letters.append(_BASE62[digit])
    return body[-_BASE62_LENGTH:] == bytes(reversed(letters))


def ends_in_hex_crc32(token: bytes) -> bool:
    """True where the last eight digits are the CRC-32 of all before the last underscore: Grafana."""
    body, _, checksum = token.rpartition(b"_")
    return len(checksum) == _HEX_LENGTH and b"%08x" % binascii.crc32(body) == checksum.lower()


def is_bech32(token: bytes) -> bool:
    """True for a text of human-readable part, ``1`` and data whose checksum is right (BIP 173)."""
    prefix, _, data = token.upper().rpartition(b"1")
    if not prefix or any(letter not in _BECH32 for letter in data):
        return False
    lower = prefix.lower()
    values = [letter >> 5 for letter in lower] + [0] + [letter & 31 for letter in lower]
    values += [_BECH32.index(letter) for letter in data]
    check = 1
    for value in values:
        top = check >> 25
        check = (check & 0x1FFFFFF) << 5 ^ value
        for bit, part in enumerate(_GENERATOR):
            check ^= part if top >> bit & 1 else 0
    return check == 1


def is_jwt(token: bytes) -> bool:
    """True where header and payload are JSON objects, and the header names an algorithm that signs (RFC 7519)."""
    header, payload = (_object(part) for part in token.split(b".")[:2])
    return header is not None and payload is not None and str(header.get("alg", "none")).lower() != "none"


def _object(part: bytes) -> dict[str, object] | None:
    try:
        value = json.loads(decoded(part))
    except (ValueError, RecursionError):
        return None
    return value if isinstance(value, dict) else None


def decoded(data: bytes) -> bytes:
    """What URL-safe Base64 holds, padded or not; nothing for what is none."""
    try:
        return base64.urlsafe_b64decode(data + b"=" * (-len(data) % 4))
    except ValueError:
        return b""

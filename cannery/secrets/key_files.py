"""Private keys in every form that programs keep them in: PEM, DER, PKCS#12, Java's and PuTTY's files, KeePass."""

from __future__ import annotations

import re
import struct
from itertools import islice
from typing import TYPE_CHECKING, Final

from cannery.secrets.kind import Kind, Secret
from cannery.secrets.values import is_placeholder

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["KEY_FILES", "key_file", "keys_in"]

PEM: Final = Kind("private-key", "a private key")
DER: Final = Kind("private-key-der", "a private key in DER")
PKCS12: Final = Kind("pkcs12", "a private key in PKCS#12")
JAVA: Final = Kind("java-keystore", "a private key in a keystore of Java")
PUTTY: Final = Kind("putty-key", "a private key of PuTTY")
KEEPASS: Final = Kind("keepass", "a file of KeePass or Password Safe, which holds passwords")
KEY_FILES: Final = (PEM, DER, PKCS12, JAVA, PUTTY, KEEPASS)

# The first line (RFC 7468): libraries that read keys contain it alone. In JSON and in sources a line ends in the two
# letters \\n.
_PEM: Final = re.compile(
    rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?=(?:\s|\\[rnt]|[\"'+ ])*[A-Za-z0-9+/])"
)
_PEM_END: Final = b"-----END "
_LONGEST_PEM: Final = 1 << 14  # bytes
_BODY: Final = re.compile(rb"[A-Za-z0-9+/]")
_HEADERS: Final = re.compile(rb"[A-Z][A-Za-z-]+: [^\n\\]*")  # RFC 1421, RFC 4880
_SHOWN: Final = 160  # letters that are looked at for a word
_MOST: Final = 50  # keys that are looked at in a row
_LEAST, _WITHOUT_END = 4, 64  # letters: with a last line, and with none
_PUTTY: Final = re.compile(rb"PuTTY-User-Key-File-\d+: [\w@.-]+\s")
_KEEPASS: Final = (b"\x03\xd9\xa2\x9a", b"PWS3")  # and Password Safe's
_JKS, _JCEKS = b"\xfe\xed\xfe\xed", b"\xce\xce\xce\xce"
_JAVA_KEY, _JAVA_CERTIFICATE = 1, 2  # tags of entries
_MOST_ENTRIES: Final = 1000
_LARGEST: Final = 1 << 20  # bytes: no key is larger
_SEQUENCE, _INTEGER, _OCTETS = 0x30, 0x02, 0x04
_ALGORITHMS: Final = tuple(  # object identifiers: rsaEncryption, PSS, EC, DSA, DH, X25519 and its like, PBES1 and PBES2
    bytes.fromhex(number)
    for number in (
        "2a864886f70d0101", "2a8648ce3d0201", "2a8648ce380401", "2a864886f70d0103", "2b656e", "2b656f", "2b6570",
        "2b6571",
        "2a864886f70d0105",
    )
)  # fmt: skip
_PKCS7_DATA: Final = bytes.fromhex("2a864886f70d0107")
_KEY_BAGS: Final = tuple(bytes.fromhex(f"2a864886f70d010c0a010{kind}") for kind in (1, 2))  # RFC 7292, section 4.2


def keys_in(window: bytes) -> Iterator[tuple[Secret, int]]:
    """The private keys in texts, each with its place."""
    if b"PRIVATE KEY" in window:
        for match in islice(_PEM.finditer(window), _MOST):
            if _has_body(window[match.end() : match.end() + _LONGEST_PEM]):
                yield Secret(PEM), match.start()
    if b"PuTTY-User-Key-File-" in window:
        for match in _PUTTY.finditer(window):
            yield Secret(PUTTY), match.start()


def _has_body(text: bytes) -> bool:
    """True for what follows a key's first line and is a key: documents have dots or a word in its place."""
    body, end, _ = text.partition(_PEM_END)
    body = body if end else body[:_SHOWN]
    letters = _BODY.findall(body)
    if b"." in _HEADERS.sub(b"", body) or is_placeholder(body[:_SHOWN].decode("latin-1")):
        return False
    return len(set(letters)) >= _LEAST and (bool(end) or len(letters) >= _WITHOUT_END)


def key_file(data: bytes) -> Kind | None:
    """The kind of private key that a file which begins with ``data`` is, whatever its name."""
    if data.startswith(_KEEPASS):
        return KEEPASS
    if data.startswith((_JKS, _JCEKS)):
        return JAVA if _holds_key(data) else None
    if data[:1] != bytes((_SEQUENCE,)) or len(data) > _LARGEST:
        return None
    return _of_der(data)


def _of_der(data: bytes) -> Kind | None:
    """The kind of key in DER: PKCS#1, PKCS#8, SEC 1 or PKCS#12."""
    outer = _element(data, 0)
    if outer is None or not len(data) - 4 <= outer[2] <= len(data):
        return None
    first = _element(data, outer[1])
    second = _element(data, first[2]) if first else None
    if first is None or second is None:
        return None
    version = data[first[1] : first[2]]
    inner = data[second[1] : second[2]]
    if first[0] == _INTEGER and version == b"\3" and second[0] == _SEQUENCE and _PKCS7_DATA in inner[:16]:
        return PKCS12 if any(bag in data for bag in _KEY_BAGS) else None  # trusted certificates have none
    named = second[0] == _SEQUENCE and first[0] == _INTEGER and version in {b"\0", b"\1"}
    if named and inner[2:].startswith(_ALGORITHMS):
        return DER  # PKCS#8 (RFC 5958)
    if first[0] == _SEQUENCE and second[0] == _OCTETS and data[first[1] + 2 : first[2]].startswith(_ALGORITHMS):
        return DER  # the same, encrypted
    of_rsa = first[0] == second[0] == _INTEGER and version == b"\0" and len(inner) >= 64 and _integers(data, outer) >= 6  # noqa: PLR2004
    of_ec = first[0] == _INTEGER and version == b"\1" and second[0] == _OCTETS and len(inner) in {28, 32, 48, 66}
    return DER if of_rsa or of_ec else None


def _integers(data: bytes, outer: tuple[int, int, int]) -> int:
    """How many numbers a sequence begins with: an RSA key has nine (RFC 8017), a DSA key six."""
    count, place = 0, outer[1]
    while place < outer[2] and (each := _element(data, place)) and each[0] == _INTEGER:
        count, place = count + 1, each[2]
    return count


def _element(data: bytes, place: int) -> tuple[int, int, int] | None:
    """Tag, first byte and end of the element at ``place`` (X.690); None where there is none."""
    if place + 2 > len(data):
        return None
    tag, length = data[place], data[place + 1]
    start = place + 2
    if length & 0x80:
        octets = length & 0x7F
        if not 1 <= octets <= 4:  # noqa: PLR2004
            return None
        length = int.from_bytes(data[start : start + octets], "big")
        start += octets
    return (tag, start, start + length) if start + length <= len(data) else None


def _holds_key(data: bytes) -> bool:
    """True for a keystore of Java with an entry that is a key: one of trusted certificates alone holds no secret."""
    try:
        version, count = struct.unpack_from(">II", data, 4)
        place = 12
        for _ in range(min(count, _MOST_ENTRIES)):
            tag, alias = struct.unpack_from(">IH", data, place)
            if tag != _JAVA_CERTIFICATE:
                return bool(tag == _JAVA_KEY or data.startswith(_JCEKS))
            place += 6 + alias + 8
            place += 2 + struct.unpack_from(">H", data, place)[0] if version > 1 else 0
            place += 4 + struct.unpack_from(">I", data, place)[0]
    except struct.error:
        return False
    return False

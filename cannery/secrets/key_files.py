"""Private keys in every form that programs keep them in: PEM, DER, PKCS#12, Java's and PuTTY's files, KeePass."""

from __future__ import annotations

import re
import struct
import zlib
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
OPENPGP: Final = Kind("openpgp-key", "a private key of OpenPGP")
KERBEROS: Final = Kind("kerberos", "keys or tickets of Kerberos")
WALLET: Final = Kind("oracle-wallet", "a wallet of Oracle")
TOR: Final = Kind("tor-key", "a private key of Tor")
HISTORY: Final = Kind("git-history", "a project's history (git)")
KEY_FILES: Final = (PEM, DER, PKCS12, JAVA, PUTTY, KEEPASS, OPENPGP, KERBEROS, WALLET, TOR, HISTORY)

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
_BEGINNINGS: Final = (
    *((begins, KEEPASS) for begins in (b"\x03\xd9\xa2\x9a", b"PWS3")),  # and Password Safe's
    *((b"\x05\x04" + header, KERBEROS) for header in (b"\0\x0c\0\1\0\x08", b"\0\0\0\0\0\1", b"\0\0\0\0\0\2")),
    *((b"\xa1\xf8\x4e" + kind, WALLET) for kind in (b"6", b"7", b"8")),
    (b"== ed25519v1-secret: type0 ==", TOR),
    *((begins, HISTORY) for begins in (b"PACK\0\0\0\2", b"# v2 git bundle\n", b"# v3 git bundle\n")),
)
_OF_AGENT: Final = re.compile(  # of GnuPG's agent: those of smart cards are shadowed
    rb"(?:[A-Z][\w-]{1,30}:[^\n]{0,200}\n){0,9}(?:Key:\s)?\((?:\d+:)?(?:protected-)?private-key[\s(]"
)
_KEYTAB: Final = re.compile(rb"\x05\x02\0\0[\0-\7][\0-\xff]\0[\1-\4]\0[\1-\x7f][A-Za-z0-9.-]")  # keytab, version 2
_OBJECT: Final = re.compile(rb"(?:blob|commit|tree|tag) \d{1,10}\0")  # of git, once unpacked
_ZLIB: Final = (b"\x78\x01", b"\x78\x9c", b"\x78\x5e", b"\x78\xda")
_SECRET_PACKET, _BEHIND_KEYS = 5, (13, 7, 2)  # a user, a subkey, a signature (RFC 9580, section 5)
_VERSIONS, _KEY_ALGORITHMS = (3, 4, 5, 6), (1, 2, 3, 16, 17, 18, 19, 22, 25, 26, 27, 28)
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
    for begins, kind in _BEGINNINGS:
        if data.startswith(begins):
            return kind
    if data.startswith((_JKS, _JCEKS)):
        return JAVA if _holds_key(data) else None
    if data[:1] == bytes((_SEQUENCE,)):
        return _of_der(data) if len(data) <= _LARGEST else None
    return _of_others(data)


def _of_others(data: bytes) -> Kind | None:
    """Of GnuPG, Kerberos and git."""
    if _OF_AGENT.match(data) or _is_openpgp(data):
        return OPENPGP
    if _KEYTAB.match(data):
        return KERBEROS
    if data.startswith(_ZLIB):
        try:
            return HISTORY if _OBJECT.match(zlib.decompressobj().decompress(data[:_SHOWN], _SHOWN)) else None
        except zlib.error:
            return None
    return None


def _is_openpgp(data: bytes) -> bool:
    """True for packets that begin with a secret key, whose user, subkey or signature follows (RFC 9580)."""
    packet = _packet(data, 0)
    if packet is None or packet[0] != _SECRET_PACKET or len(data) < packet[1] + 6:
        return False
    _, start, end = packet
    behind = _packet(data, end)
    is_key = data[start] in _VERSIONS and data[start + 5] in _KEY_ALGORITHMS
    return is_key and (end == len(data) or (behind is not None and behind[0] in _BEHIND_KEYS))


def _packet(data: bytes, place: int) -> tuple[int, int, int] | None:
    """Type, first byte and end of the packet at ``place``, in the old form or the new (RFC 9580, section 4.2)."""
    head = data[place : place + 6]
    if len(head) < 6 or not head[0] & 0x80:  # noqa: PLR2004
        return None
    if head[0] & 0x40:
        if head[1] < 192:  # noqa: PLR2004
            return head[0] & 0x3F, place + 2, place + 2 + head[1]
        if head[1] < 224:  # noqa: PLR2004
            return head[0] & 0x3F, place + 3, place + 3 + ((head[1] - 192) << 8) + head[2] + 192
        return head[0] & 0x3F, place + 6, place + 6 + int.from_bytes(head[2:6], "big")
    octets = 1 << (head[0] & 3)
    if octets > 4:  # noqa: PLR2004
        return None
    start = place + 1 + octets
    return head[0] >> 2 & 0x0F, start, start + int.from_bytes(head[1 : 1 + octets], "big")


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

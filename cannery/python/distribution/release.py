"""The signed list of a pocket (InRelease), checked: by its keys, by its name, by its date (DebianRepository/Format)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Final

from cannery.errors import RuntimeTreeError, ToolError
from cannery.python.distribution.download import text_at
from cannery.workspace.extras import installing

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from cannery.python.distribution.suites import Pocket

__all__ = ["Release", "signed_release"]

_FIELD: Final = re.compile(r"^([A-Za-z0-9-]+):[ \t]*(.*)$", re.MULTILINE)
_TRUST: Final = "don't trust this archive; name another with  [tool.cannery]  mirrors"
_SUM: Final = re.compile(r"^ ([0-9a-f]{64})\s+(\d+)\s+(\S+)$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Release:
    """A pocket at one time: the lists that it consists of."""

    pocket: Pocket
    date: datetime  # in UTC
    lists: Mapping[str, tuple[str, int]]  # path below the pocket's folder -> SHA-256 and size


def signed_release(pocket: Pocket, keyring: Path, now: datetime | None = None) -> Release:
    """The list of ``pocket`` as its archive has it now; nothing of it counts that isn't signed.

    Raises :class:`AbsentFileError` where there is no such pocket, :class:`RuntimeTreeError` where no key of ``keyring``
    has signed the list, where it is of another pocket, or older than it says that it may be at the time ``now``.
    """
    address = f"{pocket.address}/dists/{pocket.name}/InRelease"
    text = verified(text_at(address), keyring, address)
    fields = dict(_FIELD.findall(text))
    if pocket.name not in {fields.get("Codename"), fields.get("Suite")}:
        named = f"Suite: {fields.get('Suite')}, Codename: {fields.get('Codename')}"
        raise RuntimeTreeError(f"{address} is the list of another suite", evidence=named, step=_TRUST)
    date = _time(fields.get("Date", ""), address)
    until = _time(fields["Valid-Until"], address) if "Valid-Until" in fields else None
    if until is not None and until < (now or datetime.now(UTC)):
        raise RuntimeTreeError(
            f"{address} is out of date, so updates may be kept from you",
            evidence=f"it was valid until {fields['Valid-Until']}",
            step="name a current mirror with  [tool.cannery]  mirrors; or set this machine's clock",
        )
    _, _, sums = text.partition("\nSHA256:")
    return Release(pocket, date, {path: (digest, int(size)) for digest, size, path in _SUM.findall(sums)})


def verified(signed: bytes, keyring: Path, address: str) -> str:
    """The text of a message that is signed in itself (RFC 9580, section 7), without what isn't signed of it.

    Raises :class:`RuntimeTreeError` where no certificate of ``keyring`` has signed it, :class:`ToolError` where the
    library for signatures isn't installed.
    """
    try:
        import pysequoia  # noqa: PLC0415  # an extra
    except ImportError as error:
        what = "pysequoia is not installed, which checks the signatures of package lists"
        raise ToolError(what, step=installing("packages")) from error
    certificates = pysequoia.Cert.split_bytes(keyring.read_bytes())
    try:
        message = pysequoia.verify(bytes=signed, store=lambda _: certificates)
    except RuntimeError as error:  # its only exception
        raise RuntimeTreeError(
            f"{address} is not signed by a key of {keyring.stem.capitalize()}",
            evidence=str(error).partition("\n")[0],
            step=_TRUST,
        ) from error
    return bytes(message.bytes or b"").decode("utf-8", "replace")


def _time(text: str, address: str) -> datetime:
    try:
        return parsedate_to_datetime(text).astimezone(UTC)
    except (ValueError, OverflowError) as error:
        raise RuntimeTreeError(f"{address} has no date that can be read", evidence=repr(text), step=_TRUST) from error

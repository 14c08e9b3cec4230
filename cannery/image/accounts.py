"""The accounts of an image: who a program in it runs as."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from cannery.errors import ImageError
from cannery.image.paths import read_text

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["Account", "Accounts", "account", "accounts_in"]


class Account(NamedTuple):
    """Who a program runs as."""

    uid: int
    gid: int
    home: str


class Accounts(NamedTuple):
    """The texts of an image's ``/etc/passwd`` and ``/etc/group``."""

    passwd: str = ""
    group: str = ""


def accounts_in(root: Path) -> Accounts:
    """The accounts of the image that is unpacked in ``root``."""
    return Accounts(read_text(root, "/etc/passwd"), read_text(root, "/etc/group"))


def account(user: str, accounts: Accounts) -> Account:
    """The account that ``user`` means: a name, a number, or either with ``:group`` (OCI image-spec v1.1, config.md).

    Empty means root. Raises :class:`ImageError` for a name that ``accounts`` lack; a number need not be in them.
    """
    name, _, group_name = user.partition(":")
    name = name or "0"
    entry = next((e for e in _entries(accounts.passwd, fields=6) if name in (e[0], e[2])), None)
    if entry is None and not name.isdecimal():
        raise ImageError(f"the image has no user {name!r}", evidence="its /etc/passwd doesn't name it")
    uid, gid, home = (int(entry[2]), int(entry[3]), entry[5] or "/") if entry else (int(name), 0, "/")
    return Account(uid, _gid(group_name, accounts.group) if group_name else gid, home)


def _gid(name: str, group: str) -> int:
    gid = next((e[2] for e in _entries(group, fields=3) if name in (e[0], e[2])), name)
    if not gid.isdecimal():
        raise ImageError(f"the image has no group {name!r}", evidence="its /etc/group doesn't name it")
    return int(gid)


def _entries(text: str, *, fields: int) -> list[list[str]]:
    """The lines of passwd(5) or group(5) that are whole; the ID is the third field, passwd's GID the fourth."""
    lines = [line.split(":") for line in text.splitlines()]
    return [e for e in lines if len(e) >= fields and all(n.isdecimal() for n in e[2 : min(fields, 4)])]

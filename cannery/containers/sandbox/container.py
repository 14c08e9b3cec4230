"""The container that an image's configuration describes, derived as Docker derives it.

Its values are named tuples, as importing :mod:`dataclasses` takes about as long as starting a container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cannery.errors import ImageError
from cannery.image.paths import read_text

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = ["DEFAULT_PATH", "Account", "Accounts", "Container", "Volume", "account", "container", "container_in"]

DEFAULT_PATH: Final = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"


class Volume(NamedTuple):
    """A file or folder of the host that a container sees (a bind mount, mount(8))."""

    source: Path
    target: str  # a path in the container, where the image has a file or folder
    read_only: bool = True


class Container(NamedTuple):
    """A program to run over an unpacked image, with its surroundings."""

    root: Path  # that :func:`cannery.containers.sandbox.rootfs.rootfs` made
    argv: tuple[str, ...]
    env: Mapping[str, str]  # the whole environment
    uid: int
    gid: int
    working_directory: str = "/"
    hostname: str | None = None  # None: the host's own, as the network is
    scratch: tuple[str, ...] = ()  # folders that are empty, writable and gone at the end
    volumes: tuple[Volume, ...] = ()  # mounted in this order


class Account(NamedTuple):
    """Who a program runs as."""

    uid: int
    gid: int
    home: str


class Accounts(NamedTuple):
    """The texts of an image's ``/etc/passwd`` and ``/etc/group``."""

    passwd: str = ""
    group: str = ""


def container_in(root: Path, config: Mapping[str, Any], args: Sequence[str] = ()) -> Container:
    """The container of the image that is unpacked in ``root``, whose accounts are read from there.

    ``config`` and ``args`` are those of :func:`container`, which raises for it, too.
    """
    accounts = Accounts(read_text(root, "/etc/passwd"), read_text(root, "/etc/group"))
    return container(root, config, args, accounts)


def container(root: Path, config: Mapping[str, Any], args: Sequence[str], accounts: Accounts) -> Container:
    """The container that an image's ``config`` describes (OCI image-spec v1.1, config.md).

    ``args``, if there are any, take the place of its ``Cmd``. Raises :class:`ImageError` where it names no program, or
    a user that ``accounts`` lack.
    """
    settings = config.get("config") or {}
    argv = (*(settings.get("Entrypoint") or ()), *(args or settings.get("Cmd") or ()))
    if not argv:
        raise ImageError("the image names no program to run", step="give one after --")
    who = account(settings.get("User") or "", accounts)
    return Container(
        root=root,
        argv=argv,
        env={"PATH": DEFAULT_PATH, "HOME": who.home, **_pairs(settings.get("Env") or ())},
        uid=who.uid,
        gid=who.gid,
        working_directory=settings.get("WorkingDir") or "/",
        scratch=tuple(sorted(settings.get("Volumes") or ())),
    )


def account(user: str, accounts: Accounts) -> Account:
    """Read ``user``, ``uid``, ``user:group`` … as ``User`` of an image has it (OCI image-spec v1.1, config.md)."""
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


def _pairs(env: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in env)}

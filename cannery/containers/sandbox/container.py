"""The container that an image's configuration describes, derived as Docker derives it.

Its values are named tuples, as importing :mod:`dataclasses` takes about as long as starting a container.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, NamedTuple

from cannery.containers.limits import Limits
from cannery.errors import ImageError
from cannery.image.accounts import account, accounts_in

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.image.accounts import Accounts

__all__ = ["DEFAULT_PATH", "Container", "Volume", "container", "container_in"]

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
    limits: Limits = Limits()
    prompt: bool = False  # somebody types commands at it


def container_in(
    root: Path,
    config: Mapping[str, Any],
    args: Sequence[str] = (),
    program: str | None = None,
    *,
    limits: Limits = Limits(),  # noqa: B008  # it never changes
) -> Container:
    """The container of the image that is unpacked in ``root``, whose accounts are read from there.

    ``config`` and ``args`` are those of :func:`container`, which raises for it, too. A ``program`` takes the place of
    the image's entry point and of its arguments.
    """
    if program is not None:
        config = {**config, "config": {**(config.get("config") or {}), "Entrypoint": [program], "Cmd": []}}
    return container(root, config, args, accounts_in(root))._replace(limits=limits)


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


def _pairs(env: Sequence[str]) -> dict[str, str]:
    return {name: value for name, _, value in (pair.partition("=") for pair in env)}

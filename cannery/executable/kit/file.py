"""A kit as one file: written, unpacked into the cache, and checked before anything of it is run or packed."""

from __future__ import annotations

import errno
import json
import lzma
import tarfile
import zlib
from typing import TYPE_CHECKING, Annotated, Final

import msgspec

from cannery.elf.components import Component  # noqa: TC001  # msgspec looks for it when it runs
from cannery.errors import ConfigurationError
from cannery.image.bounded_tar import bounded_tar
from cannery.image.content import OnDisk
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained, replacing
from cannery.workspace.invocation import program_name
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.unaltered import unaltered_folder

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

__all__ = ["KIT_FORMAT", "PYTHONS_OWN", "AboutKit", "about_kit", "no_kit", "unpacked_kit", "write_about", "write_kit"]

PYTHONS_OWN: Final = frozenset({"__pycache__"})  # folders that a kit's Python writes for itself where it runs
KIT_FORMAT: Final = 1  # counts up when something else is in a kit, so that an older cannery refuses it
_ABOUT: Final = "kit.json"
_LARGEST_ABOUT: Final = 1 << 20  # bytes; a kit's has some thousands
_MOST: Final = 1 << 30  # bytes that a kit may unpack to; one of CPython 3.11 has 60 million

Name = Annotated[str, msgspec.Meta(pattern=r"^[A-Za-z_]\w*\Z")]  # in C


class AboutKit(msgspec.Struct, frozen=True):
    """What a kit says of itself."""

    format: int
    platform: str
    builtins: tuple[tuple[Name, Name], ...]  # the modules inside Python, with their PyInit functions
    components: tuple[Component, ...] = ()  # what it's built from


def unpacked_kit(path: Path, workspace: Workspace, sha256: str | None = None) -> tuple[Path, str]:
    """The folder of the kit in the file ``path``, and its key.

    Raises :class:`ConfigurationError` where that is no kit, or has another SHA-256 than the one given.
    """
    if not path.is_file():
        raise ConfigurationError(f"there is no kit {path}", step="correct  [tool.cannery.static]  kit, or CANNERY_KIT")
    with explained(path, "read"):
        digest = Digest.of_content(OnDisk(path, path.stat().st_size)).hex
    if sha256 not in {None, digest}:
        raise ConfigurationError(
            f"{path} is another kit than the settings name",
            evidence=f"SHA-256 {digest}, not {sha256}",
            step="see where it comes from, then correct the file or the SHA-256",
        )
    key = key_of("unpacked kit", code_key(__name__), digest)

    def unpack(folder: Path) -> None:
        try:
            with bounded_tar(path) as archive:
                archive.extractall(folder, members=_limited(archive, path), filter="data")
        except (tarfile.TarError, EOFError, lzma.LZMAError, zlib.error, KeyError, ValueError, OverflowError) as error:
            raise no_kit(path, str(error)) from error
        except OSError as error:
            if error.errno in {errno.ENOSPC, errno.EDQUOT, errno.EACCES, errno.EROFS}:
                raise
            raise no_kit(path, str(error)) from error  # of members that contradict one another

    return unaltered_folder(workspace.cache, "kits", key, unpack, without=PYTHONS_OWN), key


def _limited(archive: tarfile.TarFile, path: Path) -> Iterator[tarfile.TarInfo]:
    size = 0
    for member in archive:
        size += member.size
        if size > _MOST:
            raise no_kit(path, f"it unpacks to more than {_MOST:,} bytes")
        yield member


def write_kit(kit: Path, path: Path) -> Digest:
    """Write the kit in the folder ``kit`` as one file, a tar in xz that is the same for the same kit.

    Returns the file's digest.
    """
    with (
        replacing(path, made_here=b"\xfd7zXZ\0") as stream,
        tarfile.open(fileobj=stream, mode="w:xz", preset=3) as archive,
    ):
        for each in sorted(path for path in kit.rglob("*") if not PYTHONS_OWN.intersection(path.parts)):
            info = archive.gettarinfo(each, each.relative_to(kit).as_posix())
            info.uid = info.gid = info.mtime = 0
            info.uname = info.gname = ""
            info.mode = 0o755 if info.isdir() or info.mode & 0o100 else 0o644
            if info.isreg():
                with each.open("rb") as content:
                    archive.addfile(info, content)
            else:
                archive.addfile(info)
    return Digest.of_content(OnDisk(path, path.stat().st_size))


def write_about(folder: Path, about: AboutKit) -> None:
    """Write what the kit in ``folder`` says of itself."""
    (folder / _ABOUT).write_text(json.dumps(msgspec.to_builtins(about), indent=1), encoding="utf-8")


def about_kit(folder: Path, path: Path) -> AboutKit:
    """What the kit in ``folder`` says of itself; raises :class:`ConfigurationError`, which names ``path``, for none."""
    try:
        with (folder / _ABOUT).open("rb") as file:
            about = msgspec.json.decode(file.read(_LARGEST_ABOUT), type=AboutKit)
    except (OSError, msgspec.MsgspecError, RecursionError) as error:
        raise no_kit(path, str(error)) from error
    if about.format != KIT_FORMAT:
        raise no_kit(path, f"its format is {about.format}, not {KIT_FORMAT}")
    return about


def no_kit(path: Path, evidence: str) -> ConfigurationError:
    """The error for a file, or a folder, that isn't the kit that it should be."""
    return ConfigurationError(
        f"{path} is no kit of this version of cannery", evidence=evidence, step=f"run: {program_name()} kit"
    )

"""Files that appear whole or not at all."""

from __future__ import annotations

import errno
import os
import secrets
from contextlib import contextmanager, suppress
from typing import TYPE_CHECKING, BinaryIO

from cannery.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["explained", "replacing"]

_ADVICE = {
    errno.ENOSPC: "free some space there, or point elsewhere (--output, CANNERY_CACHE)",
    errno.EDQUOT: "free some of your quota there, or point elsewhere (--output, CANNERY_CACHE)",
    errno.EACCES: "make it writable for you, or point elsewhere (--output, CANNERY_CACHE)",
    errno.EPERM: "make it writable for you, or point elsewhere (--output, CANNERY_CACHE)",
    errno.EROFS: "point to a file system that can be written (--output, CANNERY_CACHE)",
}


@contextmanager
def explained(path: Path) -> Iterator[None]:
    """Turn an :class:`OSError` about writing ``path`` into a :class:`MachineError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise MachineError(
            f"cannot write {path}",
            evidence=f"{os.strerror(error.errno) if error.errno else error}"
            + (f": {error.filename}" if error.filename and str(error.filename) != str(path) else ""),
            step=_ADVICE.get(error.errno or 0, ""),
        ) from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without an error.

    Until then it has no name where the system can do that (Linux's ``O_TMPFILE``), so that even a killed process
    leaves nothing; elsewhere it lies beside ``path`` under a hidden name.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        beside = path.with_name(f".{path.name[:200]}.{secrets.token_hex(6)}")
        nameless = _open_nameless(path.parent)
        stream = os.fdopen(nameless, "wb") if nameless is not None else beside.open("xb")
        try:
            with stream:
                yield stream
                stream.flush()
                if nameless is not None:
                    _give_name(nameless, beside)
            beside.chmod(0o666 & ~_umask())
            beside.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                beside.unlink()
            raise


def _open_nameless(folder: Path) -> int | None:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):  # noqa: PTH112
        return None
    try:
        return os.open(folder, flag | os.O_WRONLY | os.O_CLOEXEC, 0o644)
    except OSError as error:
        if error.errno in {errno.EOPNOTSUPP, errno.EISDIR, errno.EINVAL, errno.ENOENT}:
            return None  # this file system has no such files
        raise


def _give_name(descriptor: int, path: Path) -> None:
    """Link an open, nameless file (open(2), O_TMPFILE); only with a folder's descriptor does Python follow the link."""
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

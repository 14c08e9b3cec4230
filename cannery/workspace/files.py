"""Files that appear whole or not at all, and what to do when the machine refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cannery.errors import ConfigurationError, ImageError, MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["advice", "changed", "explained", "refusal", "replacing", "stamp", "stamp_of", "user_path"]

_TO_WRITE = {
    errno.ENOSPC: "free some space there",
    errno.EDQUOT: "free some of your quota there",
    errno.EACCES: "make it writable for you",
    errno.EPERM: "make it writable for you",
    errno.EROFS: "make that file system writable",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ENOTDIR: "remove the file that stands where a folder belongs",
    errno.EEXIST: "remove the file that stands where a folder belongs",
    errno.EISDIR: "remove the folder that stands where a file belongs",
}
_TO_READ = {
    errno.EACCES: "make it readable for you",
    errno.EPERM: "make it readable for you",
    errno.ENOENT: "build again when nothing else changes these files",
}
_NUMBER = re.compile(r"\(os error (\d+)\)|\[Errno (\d+)\]")  # as uv and as Python write it
_RANDOM = 6  # bytes in a hidden name


@contextmanager
def explained(path: Path, doing: str = "write") -> Iterator[None]:
    """Turn an :class:`OSError` about ``path`` into a :class:`MachineError` that says what to do."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path, doing) from error


def refusal(error: OSError, path: Path, doing: str = "write") -> MachineError:
    """What ``error`` means for who wants to read or to write ``path``."""
    other = f": {error.filename}" if error.filename and str(error.filename) != str(path) else ""
    step = _TO_READ.get(error.errno or 0, "see that it can be read") if doing == "read" else _step(error.errno or 0)
    return MachineError(
        f"cannot {doing} {path}", evidence=f"{os.strerror(error.errno) if error.errno else error}{other}", step=step
    )


def advice(complaint: str, variables: str = "--output, CANNERY_CACHE") -> str:
    """What to do about the system's error that a program's ``complaint`` names; empty where that is none of ours.

    ``variables`` say how the program is pointed to other folders.
    """
    numbers = [int(first or second) for first, second in _NUMBER.findall(complaint)]
    return next((_step(number, variables) for number in numbers if number in _TO_WRITE), "")


def _step(number: int, variables: str = "--output, CANNERY_CACHE") -> str:
    return f"{_TO_WRITE.get(number, 'see that it can be written')}, or point elsewhere ({variables})"


def changed(path: str) -> ImageError:
    """What to say of a file that isn't what it was when the build began; what was made of it must not be kept."""
    return ImageError(f"{path} changed while it was read", step="build again when nothing writes to the project")


def stamp(path: Path) -> list[int] | None:
    """What changes when the file ``path`` does, so that it need not be read to see that; None when it isn't there."""
    try:
        return stamp_of(path.stat())
    except FileNotFoundError:
        return None


def stamp_of(status: os.stat_result) -> list[int]:
    """The same of a file whose ``status`` was just read; a time that was set back shows in that of the inode."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def user_path(text: str) -> Path:
    """The path that a user wrote, ``~`` being a home folder; raises :class:`ConfigurationError` where nobody has it."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"there is no home folder for {text!r}", step="write the whole path") from error


@contextmanager
def replacing(path: Path) -> Iterator[BinaryIO]:
    """Open a file that takes the place of ``path`` when the block ends without an error.

    Until then it has no name where the system can do that (Linux's ``O_TMPFILE``), so that even a killed process
    leaves nothing; elsewhere it lies beside ``path`` under a hidden name. It's locked as long as its process lives:
    what a killed one leaves, the next takes away.
    """
    with explained(path):
        path.parent.mkdir(parents=True, exist_ok=True)
        prefix = f".{os.fsdecode(os.fsencode(path.name)[:200])}."
        _remove_abandoned(path.parent, prefix)
        beside = path.with_name(prefix + secrets.token_hex(_RANDOM))
        nameless = _open_nameless(path.parent)
        try:
            with os.fdopen(nameless, "wb") if nameless is not None else beside.open("xb") as stream:
                with suppress(OSError):  # some file systems have no locks
                    fcntl.flock(stream, fcntl.LOCK_EX)
                os.fchmod(stream.fileno(), 0o666 & ~_umask())
                yield stream
                stream.flush()
                if nameless is not None:
                    _give_name(nameless, beside)
                beside.replace(path)
        except BaseException:
            with suppress(FileNotFoundError):
                beside.unlink()
            raise


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove what killed processes left: files of that kind that nobody holds."""
    length = len(prefix) + 2 * _RANDOM
    for path in folder.iterdir():
        if path.name.startswith(prefix) and len(path.name) == length:
            with suppress(OSError), path.open("rb") as stream:  # held, gone, or somebody else's
                fcntl.flock(stream, fcntl.LOCK_EX | fcntl.LOCK_NB)
                path.unlink()


def _open_nameless(folder: Path) -> int | None:
    flag = getattr(os, "O_TMPFILE", None)
    if flag is None or not os.path.isdir("/proc/self/fd"):  # noqa: PTH112
        return None
    try:
        return os.open(folder, flag | os.O_WRONLY | os.O_CLOEXEC, 0o600)
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

"""Files that appear whole or not at all, and errors for what the machine refuses."""

from __future__ import annotations

import errno
import fcntl
import os
import re
import secrets
import stat as stat_module
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from cannery.errors import ConfigurationError, ImageError, MachineError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = [
    "ChangedFileError",
    "DamagedBlobError",
    "OtherFilesError",
    "advice",
    "changed",
    "explained",
    "kind_of",
    "refusal",
    "replacing",
    "stamp",
    "stamp_of",
    "user_path",
]

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
# An error's number in the words of Rust's std::io::Error, and so of uv, and of Python's OSError
_NUMBER = re.compile(r"\(os\s+error\s+(\d+)\)|\[Errno\s+(\d+)\]")  # programs break lines as they like
_KINDS = {
    stat_module.S_IFLNK: "a symbolic link",
    stat_module.S_IFIFO: "a pipe",
    stat_module.S_IFSOCK: "a socket",
    stat_module.S_IFCHR: "a device",
    stat_module.S_IFBLK: "a device",
}
_RANDOM = 6  # random bytes in a hidden name


@contextmanager
def explained(path: Path, doing: str = "write") -> Iterator[None]:
    """Turn an :class:`OSError` about ``path`` into the :class:`MachineError` of :func:`refusal`."""
    try:
        yield
    except OSError as error:
        raise refusal(error, path, doing) from error


def refusal(error: OSError, path: Path, doing: str = "write") -> MachineError:
    """The error for a user whose ``path`` can't be read or written, as ``doing`` says, because of ``error``."""
    other = f": {error.filename}" if error.filename and str(error.filename) != str(path) else ""
    step = _TO_READ.get(error.errno or 0, "see that it can be read") if doing == "read" else _step(error.errno or 0)
    return MachineError(
        f"cannot {doing} {path}", evidence=f"{os.strerror(error.errno) if error.errno else error}{other}", step=step
    )


def advice(complaint: str, variables: str = "--output, CANNERY_CACHE") -> str:
    """The next step for the system's error whose number a program's ``complaint`` has; empty without a known one.

    ``variables`` are those that point the program to other folders.
    """
    numbers = [int(first or second) for first, second in _NUMBER.findall(complaint)]
    return next((_step(number, variables) for number in numbers if number in _TO_WRITE), "")


def _step(number: int, variables: str = "--output, CANNERY_CACHE") -> str:
    return f"{_TO_WRITE.get(number, 'see that it can be written')}, or point elsewhere ({variables})"


class ChangedFileError(ImageError):
    """A file isn't what it was when it was looked at first."""

    def __init__(self, path: str, place: Path | None) -> None:
        step = "build again when nothing writes to the project"
        super().__init__(f"{path} changed while it was read", step=step)
        self.place = place  # where it lies


class DamagedBlobError(ChangedFileError):
    """A blob in the cache isn't what its digest says; it's removed, so that the next build makes it anew."""

    def __init__(self, name: str, place: Path, evidence: str) -> None:
        ImageError.__init__(
            self,
            f"{name} in the cache is not what it was",
            evidence=f"{evidence}\n      in {place}",
            step="build again: that file is removed, and will be made anew",
        )
        self.place = place


class OtherFilesError(ChangedFileError):
    """Files that were made anew aren't those that were made the last time, by which others were going."""


def changed(path: str, place: Path | None = None) -> ChangedFileError:
    """The error for a file that changed during the build, so that nothing made of it may be kept.

    ``path`` is the one that people know it by, ``place`` where it lies.
    """
    return ChangedFileError(path, place)


def stamp(path: Path) -> list[int] | None:
    """The size, times and inode of the file ``path``: equal for an unchanged file; None where there is no such file."""
    try:
        return stamp_of(path.stat())
    except FileNotFoundError:
        return None


def stamp_of(status: os.stat_result) -> list[int]:
    """The stamp of a file with this ``status``; st_ctime tells a change even where st_mtime was set back."""
    return [status.st_size, status.st_mtime_ns, status.st_ctime_ns, status.st_ino]


def user_path(text: str) -> Path:
    """The path that a user wrote, ``~`` expanded; raises :class:`ConfigurationError` for a home that nobody has."""
    try:
        return Path(text).expanduser()
    except RuntimeError as error:
        raise ConfigurationError(f"there is no home folder for {text!r}", step="write the whole path") from error


@contextmanager
def replacing(path: Path, *, made_here: bytes | None = None) -> Iterator[BinaryIO]:
    """Open a new file that replaces ``path`` when the block ends without an error.

    Nothing but a regular file is replaced: no device, no pipe, no link. With ``made_here`` a file is replaced only if
    it begins with those bytes, as earlier ones of its kind do, or is empty: any other is somebody's.

    Until then the file has no name (open(2), ``O_TMPFILE``), so that even a killed process leaves nothing. Where the
    system can't do that, it has a hidden name beside ``path``, and is locked while its process lives: the next call
    removes what a killed process left. Raises :class:`MachineError` where the file can't be written.
    """
    with explained(path):
        _check_place(path, made_here)
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


def kind_of(mode: int) -> str:
    """What something of the mode ``mode`` is that's no regular file, with its article."""
    return _KINDS.get(stat_module.S_IFMT(mode), "no file")


def _check_place(path: Path, made_here: bytes | None) -> None:
    """Raise :class:`MachineError` where something lies at ``path`` that must not be replaced."""
    try:
        mode = path.lstat().st_mode
    except (FileNotFoundError, NotADirectoryError):
        return  # the latter is told when the folder is made
    if stat_module.S_ISDIR(mode):
        return  # renaming refuses that
    if not stat_module.S_ISREG(mode):
        kind = kind_of(mode)
        step = "name a file, or something that is not there yet"
        raise MachineError(f"cannot write {path}", evidence=f"it is {kind}", step=step)
    if made_here is None:
        return
    with path.open("rb") as stream:
        head = stream.read(len(made_here))
    if head not in {b"", made_here}:
        raise MachineError(
            f"cannot write {path}",
            evidence="a file is there that cannery did not make",
            step="remove it, or name another file",
        )


def _remove_abandoned(folder: Path, prefix: str) -> None:
    """Remove the files in ``folder`` with hidden names that begin with ``prefix`` and that no process has locked."""
    length = len(prefix) + 2 * _RANDOM
    for path in folder.iterdir():
        if path.name.startswith(prefix) and len(path.name) == length:
            with suppress(OSError), path.open("rb") as stream:  # locked, gone, or another user's
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
    """Give an open, nameless file the name ``path`` (open(2), O_TMPFILE).

    Python follows the link in ``/proc`` only where it's given a folder's descriptor.
    """
    folder = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.link(f"/proc/self/fd/{descriptor}", path.name, dst_dir_fd=folder, follow_symlinks=True)
    finally:
        os.close(folder)


def _umask() -> int:
    mask = os.umask(0o022)
    os.umask(mask)
    return mask

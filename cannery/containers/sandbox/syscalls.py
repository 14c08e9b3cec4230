"""System calls that containers are made of, for which Python 3.11 has no function (namespaces(7)).

Each function raises :class:`~cannery.containers.sandbox.steps.StepError` where the kernel refuses.
"""

from __future__ import annotations

import ctypes
import errno
import fcntl
import os
import sys
from typing import TYPE_CHECKING, ClassVar, Final

from cannery.containers.sandbox.steps import StepError
from cannery.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Iterable

if sys.platform != "linux":
    raise MachineError(
        "the embedded runner needs Linux",
        evidence=f"this machine runs {sys.platform}",
        step="run the image with Docker or Podman",
    )

__all__ = [
    "CLONE_NEWIPC",
    "CLONE_NEWNS",
    "CLONE_NEWPID",
    "CLONE_NEWUSER",
    "CLONE_NEWUTS",
    "MS_BIND",
    "MS_NODEV",
    "MS_NOEXEC",
    "MS_NOSUID",
    "MS_NOSYMFOLLOW",
    "MS_PRIVATE",
    "MS_RDONLY",
    "MS_REC",
    "MS_REMOUNT",
    "capset_none",
    "detach",
    "hide_arguments",
    "join_new_keyring",
    "keep_inside",
    "mount",
    "pivot_root",
    "prctl",
    "set_filter",
    "sethostname",
    "unshare",
]

CLONE_NEWNS: Final = 0x00020000
CLONE_NEWUTS: Final = 0x04000000
CLONE_NEWIPC: Final = 0x08000000
CLONE_NEWUSER: Final = 0x10000000
CLONE_NEWPID: Final = 0x20000000

MS_RDONLY: Final = 1
MS_NOSUID: Final = 2
MS_NODEV: Final = 4
MS_NOEXEC: Final = 8
MS_REMOUNT: Final = 32
MS_NOSYMFOLLOW: Final = 256
MS_BIND: Final = 4096
MS_REC: Final = 16384
MS_PRIVATE: Final = 1 << 18

_MNT_DETACH: Final = 2
_KEYCTL: Final = {
    "x86_64": 250,
    "aarch64": 219,
    "riscv64": 219,
}  # its number (syscalls(2)), for which libc has no function
_KEYCTL_JOIN_SESSION_KEYRING: Final = 1
_LANDLOCK_CREATE_RULESET: Final = 444  # these two are the same on every machine
_LANDLOCK_RESTRICT_SELF: Final = 446
_SCOPE_ABSTRACT_UNIX_SOCKET: Final = 1
_LANDLOCK_ADD_RULE: Final = 445
_LANDLOCK_CREATE_RULESET_VERSION: Final = 1
_LANDLOCK_RULE_PATH_BENEATH: Final = 1
_EXECUTE, _WRITE_FILE, _READ_FILE, _READ_DIR, _REFER, _TRUNCATE = 1, 2, 4, 8, 1 << 13, 1 << 14
_RENAMES, _TRUNCATES, _SCOPES = 2, 3, 6  # the first version of Landlock that knows of each
_PR_SET_SECCOMP: Final = 22
_SECCOMP_MODE_FILTER: Final = 2
_CAPABILITY_VERSION_3: Final = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)
_libc.mount.argtypes = (ctypes.c_char_p, ctypes.c_char_p, ctypes.c_char_p, ctypes.c_ulong, ctypes.c_char_p)
_libc.prctl.argtypes = (ctypes.c_int, *[ctypes.c_ulong] * 4)


def unshare(flags: int) -> None:
    """Move this process into new namespaces (unshare(2))."""
    _check("unshare", _libc.unshare(flags))


def mount(source: str, target: str, kind: str = "", flags: int = 0, options: str = "") -> None:
    """Mount ``source`` on ``target`` (mount(2))."""
    what = "change the mount" if flags & (MS_REMOUNT | MS_PRIVATE) else f"mount {kind or source}"
    _check(
        f"{what} on {target}",
        _libc.mount(*map(os.fsencode, (source, target, kind)), flags, os.fsencode(options)),
    )


def detach(target: str) -> None:
    """Unmount ``target`` and all that is mounted below it, though files there may be open (umount2(2), MNT_DETACH)."""
    _check(f"umount {target}", _libc.umount2(os.fsencode(target), _MNT_DETACH))


def pivot_root(new: str, old: str) -> None:
    """Make ``new`` this process's root and leave the former one mounted on ``old`` (pivot_root(2))."""
    _check("pivot_root", _libc.pivot_root(os.fsencode(new), os.fsencode(old)))


def sethostname(name: str) -> None:
    """Name this UTS namespace (sethostname(2))."""
    encoded = os.fsencode(name)
    _check("sethostname", _libc.sethostname(encoded, len(encoded)))


def prctl(option: int, argument: int = 0) -> None:
    """Set an attribute of this process (prctl(2))."""
    _check(f"prctl {option}", _libc.prctl(option, argument, 0, 0, 0))


def capset_none() -> None:
    """Empty this process's effective, permitted and inheritable capabilities (capset(2))."""
    header = (ctypes.c_uint32 * 2)(_CAPABILITY_VERSION_3, 0)
    _check("capset", _libc.capset(header, (ctypes.c_uint32 * 6)()))


def join_new_keyring(machine: str) -> None:
    """Leave the session keyring that this process inherited for a new and empty one (keyctl(2)).

    ``machine`` is this one, as uname(2) calls it. Where keys are out of reach anyway, as in a container or without
    support in the kernel, nothing happens.
    """
    if machine in _KEYCTL:
        result = _libc.syscall(_KEYCTL[machine], _KEYCTL_JOIN_SESSION_KEYRING, None, 0, 0, 0)
        if result < 0 and ctypes.get_errno() not in {errno.ENOSYS, errno.EPERM}:
            _check("a session keyring of its own", result)


def keep_inside(streams: Iterable[int]) -> None:
    """Let this process and its children open nothing but what lies below its root, and ``streams`` as they are open.

    A file that a stream is has a name in ``/proc/self/fd``, by which it could be opened anew, for writing, too, and a
    folder leads to all that is around it. Sockets that others bound to abstract names are out of reach as well
    (unix(7)). That's a matter of Landlock (landlock(7)) from Linux 5.19 on, for sockets from 6.12 on; with a kernel
    that has less, nothing happens.
    """
    version = _libc.syscall(_LANDLOCK_CREATE_RULESET, None, 0, _LANDLOCK_CREATE_RULESET_VERSION)
    if version < _RENAMES:
        return  # the one before can't allow to move a file from a folder to another
    truncate = _TRUNCATE if version >= _TRUNCATES else 0
    handled = _EXECUTE | _WRITE_FILE | _READ_FILE | _READ_DIR | _REFER | truncate
    scoped = (0, _SCOPE_ABSTRACT_UNIX_SOCKET) if version >= _SCOPES else ()
    attributes = (ctypes.c_uint64 * (1 + len(scoped)))(handled, *scoped)  # struct landlock_ruleset_attr
    ruleset = _libc.syscall(_LANDLOCK_CREATE_RULESET, attributes, ctypes.sizeof(attributes), 0)
    _check("a set of rules", ruleset)
    root = os.open("/", os.O_PATH | os.O_DIRECTORY)
    _check("a rule for files", _allow(ruleset, root, handled))
    os.close(root)
    for stream in streams:
        _allow(ruleset, stream, _rights_of(stream, truncate))  # a pipe needs no rule, and gets none
    _check("rules for files", _libc.syscall(_LANDLOCK_RESTRICT_SELF, ruleset, 0))
    os.close(ruleset)


def hide_arguments() -> None:
    """Clear the words by which this process was started and its environment, as ``/proc/PID/cmdline`` shows them."""
    with open("/proc/self/stat", encoding="utf-8", errors="replace") as file:
        places = [int(number) for number in file.read().rpartition(")")[2].split()[45:49]]  # proc_pid_stat(5)
    for start, end in (places[:2], places[2:]):
        if 0 < start < end:
            ctypes.memset(start, 0, end - start)


def _allow(ruleset: int, descriptor: int, rights: int) -> int:
    rule = _Beneath(rights, descriptor)
    return int(_libc.syscall(_LANDLOCK_ADD_RULE, ruleset, _LANDLOCK_RULE_PATH_BENEATH, ctypes.byref(rule), 0))


def _rights_of(stream: int, truncate: int) -> int:
    """What a stream's file may be opened for anew: what the stream is open for."""
    try:
        mode = fcntl.fcntl(stream, fcntl.F_GETFL) & os.O_ACCMODE
    except OSError:
        return 0  # it's closed
    return {os.O_RDONLY: _READ_FILE, os.O_WRONLY: _WRITE_FILE | truncate}.get(mode, _READ_FILE | _WRITE_FILE | truncate)


def set_filter(instructions: bytes) -> None:
    """Filter the system calls of this process and its children by an array of struct sock_filter (seccomp(2))."""
    array = ctypes.create_string_buffer(instructions, len(instructions))
    program = _FilterProgram(len(instructions) // 8, ctypes.addressof(array))
    _check(
        "a filter of system calls", _libc.prctl(_PR_SET_SECCOMP, _SECCOMP_MODE_FILTER, ctypes.addressof(program), 0, 0)
    )


class _Beneath(ctypes.Structure):
    """struct landlock_path_beneath_attr (linux/landlock.h)."""

    _pack_ = 1
    _layout_ = "ms"  # as packed ones always are; Python 3.14 wants it said
    _fields_: ClassVar = [("allowed_access", ctypes.c_uint64), ("parent_fd", ctypes.c_int32)]


class _FilterProgram(ctypes.Structure):
    """struct sock_fprog (linux/filter.h)."""

    _fields_: ClassVar = [("length", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


def _check(name: str, result: int) -> None:
    if result < 0:
        raise StepError(name, ctypes.get_errno())

"""The mounts of a container: planned as values, then made in the mount namespace of this process."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.containers.sandbox.limits import SHARED_MEMORY
from cannery.containers.sandbox.steps import StepError, step
from cannery.containers.sandbox.syscalls import (
    MS_BIND,
    MS_NODEV,
    MS_NOEXEC,
    MS_NOSUID,
    MS_NOSYMFOLLOW,
    MS_PRIVATE,
    MS_RDONLY,
    MS_REC,
    MS_REMOUNT,
    detach,
    mount,
    pivot_root,
    sethostname,
)

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.containers.sandbox.container import Container

__all__ = ["Mount", "MountPoint", "assemble", "mount_points", "plan"]

_DEVICES: Final = ("full", "null", "random", "tty", "urandom", "zero")
_DEVICE_LINKS: Final = {
    "fd": "/proc/self/fd",
    "ptmx": "pts/ptmx",
    "stderr": "/proc/self/fd/2",
    "stdin": "/proc/self/fd/0",
    "stdout": "/proc/self/fd/1",
}
_HOST_FILES: Final = ("/etc/hosts", "/etc/resolv.conf")
# Files about the whole machine are read-only or hidden, as in other runtimes (OCI runtime-spec v1.2, config-linux.md,
# readonlyPaths and maskedPaths): root could write to them without any capability.
_SEALED: Final = ("/proc/bus", "/proc/fs", "/proc/irq", "/proc/sys", "/proc/sysrq-trigger")
_MASKED: Final = (
    "/proc/acpi",
    "/proc/asound",
    "/proc/interrupts",
    "/proc/kcore",
    "/proc/keys",
    "/proc/latency_stats",
    "/proc/sched_debug",
    "/proc/scsi",
    "/proc/timer_list",
    "/proc/timer_stats",
    "/sys/devices/virtual/powercap",
    "/sys/firmware",
    "/sys/fs/bpf",
    "/sys/fs/cgroup",
    "/sys/fs/pstore",
    "/sys/kernel/config",
    "/sys/kernel/debug",
    "/sys/kernel/security",
    "/sys/kernel/tracing",
)
_FLAGS: Final = {
    "ro": MS_RDONLY,
    "nosuid": MS_NOSUID,
    "nodev": MS_NODEV,
    "noexec": MS_NOEXEC,
    "nosymfollow": MS_NOSYMFOLLOW,
}
_ESCAPES: Final = {"\\040": " ", "\\011": "\t", "\\012": "\n", "\\134": "\\"}  # the backslash comes last
_PER_FILE: Final = 1 << 10  # bytes of the kernel's own memory, however empty it is: they count as well
_DATA_ONLY: Final = MS_NOSUID | MS_NODEV


class Mount(NamedTuple):
    """One mount, to be made while the image's root is the process's root and the host's its working directory."""

    target: str  # a path in the container
    kind: str = ""  # of file system; a bind mount where it's empty
    source: str = ""  # of a bind mount: relative for a path of the host, absolute for one of the container
    flags: int = 0
    options: str = ""
    writable: bool = False  # with all that lies below
    optional: bool = False  # left out where the source doesn't exist


class MountPoint(NamedTuple):
    """A mount that the kernel lists in ``/proc/PID/mountinfo``."""

    path: str
    flags: int  # of mount(2)


def plan(container: Container) -> tuple[Mount, ...]:
    """The mounts over the image's root, in the order in which they have to be made."""
    files = _HOST_FILES if container.hostname else (*_HOST_FILES, "/etc/hostname")
    size = f"size={container.limits.tmp},nr_inodes={container.limits.tmp // _PER_FILE}"
    scratch = f"mode=0755,uid={container.uid},gid={container.gid},{size}"
    return (
        Mount("/proc", "proc", flags=_DATA_ONLY | MS_NOEXEC, writable=True),
        *(Mount(path, source=path, optional=True) for path in _SEALED),
        Mount("/sys", source="sys", optional=True),
        Mount("/dev", "tmpfs", flags=MS_NOSUID, options="mode=0755"),
        *(Mount(f"/dev/{name}", source=f"dev/{name}", optional=True) for name in _DEVICES),
        Mount("/dev/pts", "devpts", flags=MS_NOSUID | MS_NOEXEC, options="ptmxmode=0666,mode=0620", writable=True),
        _memory("/dev/shm", f"mode=1777,size={SHARED_MEMORY},nr_inodes={SHARED_MEMORY // _PER_FILE}"),  # noqa: S108  # the container's, like the next
        _memory("/tmp", f"mode=1777,{size}"),  # noqa: S108
        *(Mount(path, source=_on_host(path), optional=True) for path in files),
        *(_memory(path, scratch) for path in container.scratch),
        *(Mount(v.target, source=_on_host(v.source), writable=not v.read_only) for v in container.volumes),
    )


def assemble(container: Container) -> None:
    """Replace the host's file system by the container's for this process, which has a mount namespace of its own.

    Raises :class:`StepError` for the step that the kernel refuses.
    """
    planned = plan(container)
    mount("", "/", flags=MS_PRIVATE | MS_REC)
    host = _enter(os.fspath(container.root))
    made = [_make(each) for each in planned if not each.optional or os.path.exists(each.source)]
    if container.hostname:
        _name(container.hostname)
    with step("leaving the host's files"):
        os.fchdir(host)
        os.close(host)
    detach(".")
    os.chdir("/")
    _seal(made)
    _mask()  # at last: what it covers can't be sealed any more


def mount_points(mountinfo: str) -> Iterator[MountPoint]:
    """Read the text of ``/proc/PID/mountinfo`` (proc_pid_mountinfo(5))."""
    for line in filter(None, mountinfo.split("\n")):
        _, _, _, _, path, options, _ = line.split(" ", 6)
        for escape, character in _ESCAPES.items():
            path = path.replace(escape, character)
        yield MountPoint(path, sum(_FLAGS.get(option, 0) for option in options.split(",")))


def _memory(target: str, options: str) -> Mount:
    return Mount(target, "tmpfs", flags=_DATA_ONLY, options=options, writable=True)


def _on_host(path: str | os.PathLike[str]) -> str:
    """``path`` relative to the host's root, with links followed: later they would lead into the container."""
    return os.path.realpath(path).lstrip("/") or "."


def _enter(root: str) -> int:
    """Make ``root`` this process's root, and the host's root its working directory; return a descriptor of that."""
    mount(root, root, flags=MS_BIND | MS_REC)
    with step("opening the roots"):
        host = os.open("/", os.O_PATH | os.O_DIRECTORY)
        os.chdir(root)
    pivot_root(".", ".")  # stacks the host's root on the new one, until it's detached (pivot_root(2), NOTES)
    with step("opening the roots"):
        os.fchdir(host)
    return host


def _make(planned: Mount) -> Mount:
    """Make the mount ``planned``, and return it with the links in its target followed."""
    made = planned._replace(target=os.path.realpath(planned.target))
    if not made.kind:
        mount(made.source, made.target, flags=MS_BIND | MS_REC)
        return made
    try:
        mount(made.kind, made.target, made.kind, made.flags, made.options)
    except StepError as error:
        if made.kind != "proc" or error.errno != errno.EPERM:
            raise
        # Where parts of the host's /proc are hidden, as in a container, the kernel refuses a new one that shows them.
        mount("proc", made.target, flags=MS_BIND | MS_REC)
    if planned.target == "/dev":
        _furnish(made.target)
    return made


def _furnish(dev: str) -> None:
    """Fill the empty folder ``dev`` with the links of ``/dev``, and with files and folders to mount on."""
    with step("filling /dev"):
        for name in ("pts", "shm"):
            os.mkdir(f"{dev}/{name}")
        for name in filter(lambda name: os.path.exists(f"dev/{name}"), _DEVICES):
            os.close(os.open(f"{dev}/{name}", os.O_CREAT | os.O_WRONLY, 0o444))
        for name, target in _DEVICE_LINKS.items():
            os.symlink(target, f"{dev}/{name}")


def _mask() -> None:
    for path in _MASKED:
        if os.path.isdir(path):
            mount("tmpfs", path, "tmpfs", MS_RDONLY | _DATA_ONLY | MS_NOEXEC, "mode=0555")
        elif os.path.exists(path):
            mount("/dev/null", path, flags=MS_BIND)


def _name(hostname: str) -> None:
    """Set the host name, and lay a file with it over ``/etc/hostname``."""
    sethostname(hostname)
    nameless = "/dev/shm/hostname"  # noqa: S108  # has a name only until it's mounted
    with step("writing /etc/hostname"), open(nameless, "x", encoding="utf-8") as file:
        file.write(f"{hostname}\n")
    mount(nameless, "/etc/hostname", flags=MS_BIND)
    with step("writing /etc/hostname"):
        os.unlink(nameless)


def _seal(made: Iterable[Mount]) -> None:
    """Make every mount read-only, except those that are ``made`` as writable and what lies below them."""
    writable = {each.target: each.writable for each in made}
    with step("reading /proc/self/mountinfo"), open("/proc/self/mountinfo", "rb") as file:
        points = [*mount_points(os.fsdecode(file.read()))]
    for point in points:
        if not point.flags & MS_RDONLY and not _nearest(point.path, writable):
            _make_read_only(point)


def _nearest(path: str, writable: dict[str, bool]) -> bool:
    """The value for ``path``, or else for the closest folder above it."""
    while path not in writable and path != "/":
        path = os.path.dirname(path)
    return writable.get(path, False)


def _make_read_only(point: MountPoint) -> None:
    """Remount read-only, with all flags that are set: a user namespace may not clear those of its parent."""
    try:
        mount("", point.path, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | point.flags)
    except StepError as error:
        # Covered by another mount, or in a folder that this user can't enter: the program can't reach it either.
        if error.errno not in {errno.EACCES, errno.EINVAL, errno.ENOENT}:
            raise

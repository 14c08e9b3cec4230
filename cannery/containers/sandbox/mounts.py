"""The file system of a container: planned as values, then mounted in the namespaces of the process."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final, NamedTuple

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
    StepError,
    detach,
    mount,
    pivot_root,
    sethostname,
    step,
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
# What speaks of the whole machine is sealed or hidden, as by other runtimes (OCI runtime-spec v1.2,
# config-linux.md, readonlyPaths and maskedPaths): a program that runs as root may write there without a capability.
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
    "/sys/kernel/debug",
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
_DATA_ONLY: Final = MS_NOSUID | MS_NODEV


class Mount(NamedTuple):
    """One mount of a container, made when the image's root is the process's root."""

    target: str
    kind: str = ""  # a bind where it's empty
    source: str = ""  # of a bind: a path from the host's root without the slash, or one in the container with it
    flags: int = 0
    options: str = ""
    writable: bool = False  # holds for what lies below, too
    optional: bool = False  # left out where the source doesn't exist


class MountPoint(NamedTuple):
    """A mount as the kernel lists it."""

    path: str
    flags: int


def plan(container: Container) -> tuple[Mount, ...]:
    """The mounts over the image's root, in their order."""
    files = _HOST_FILES if container.hostname else (*_HOST_FILES, "/etc/hostname")
    scratch = f"mode=0755,uid={container.uid},gid={container.gid}"
    return (
        Mount("/proc", "proc", flags=_DATA_ONLY | MS_NOEXEC, writable=True),
        *(Mount(path, source=path, optional=True) for path in _SEALED),
        Mount("/sys", source="sys", optional=True),
        Mount("/dev", "tmpfs", flags=MS_NOSUID, options="mode=0755"),
        *(Mount(f"/dev/{name}", source=f"dev/{name}", optional=True) for name in _DEVICES),
        Mount("/dev/pts", "devpts", flags=MS_NOSUID | MS_NOEXEC, options="ptmxmode=0666,mode=0620", writable=True),
        _memory("/dev/shm", "mode=1777"),  # noqa: S108  # the container's, like the next
        _memory("/tmp", "mode=1777"),  # noqa: S108
        *(Mount(path, source=_on_host(path), optional=True) for path in files),
        *(_memory(path, scratch) for path in container.scratch),
        *(Mount(v.target, source=_on_host(v.source), writable=not v.read_only) for v in container.volumes),
    )


def assemble(container: Container) -> None:
    """Give this process, alone in its mount namespace, the container's file system in place of the host's."""
    planned = plan(container)
    mount("", "/", flags=MS_PRIVATE | MS_REC)
    host = _enter(os.fspath(container.root))
    made = [_make(each) for each in planned if not each.optional or os.path.exists(each.source)]
    _mask()
    if container.hostname:
        _name(container.hostname)
    with step("leaving the host's files"):
        os.fchdir(host)
        os.close(host)
    detach(".")
    os.chdir("/")
    _seal(made)


def mount_points(mountinfo: str) -> Iterator[MountPoint]:
    """Read ``/proc/PID/mountinfo`` (proc_pid_mountinfo(5))."""
    for line in filter(None, mountinfo.split("\n")):
        _, _, _, _, path, options, _ = line.split(" ", 6)
        for escape, character in _ESCAPES.items():
            path = path.replace(escape, character)
        yield MountPoint(path, sum(_FLAGS.get(option, 0) for option in options.split(",")))


def _memory(target: str, options: str) -> Mount:
    return Mount(target, "tmpfs", flags=_DATA_ONLY, options=options, writable=True)


def _on_host(path: str | os.PathLike[str]) -> str:
    """``path`` from the host's root; links are followed now, as they would lead into the container later."""
    return os.path.realpath(path).lstrip("/") or "."


def _enter(root: str) -> int:
    """Make ``root`` this process's root and the host's its working directory; return the latter's descriptor."""
    mount(root, root, flags=MS_BIND | MS_REC)
    with step("opening the roots"):
        host = os.open("/", os.O_PATH | os.O_DIRECTORY)
        os.chdir(root)
    pivot_root(".", ".")  # the host's root lies on top of the new one until it's detached (pivot_root(2), NOTES)
    with step("opening the roots"):
        os.fchdir(host)
    return host


def _make(planned: Mount) -> Mount:
    """Mount it, and return it with the links of its target followed."""
    made = planned._replace(target=os.path.realpath(planned.target))
    if not made.kind:
        mount(made.source, made.target, flags=MS_BIND | MS_REC)
        return made
    try:
        mount(made.kind, made.target, made.kind, made.flags, made.options)
    except StepError as error:
        if made.kind != "proc" or error.errno != errno.EPERM:
            raise
        # Where parts of the host's /proc are hidden, as in a container, a new one would show them: the kernel refuses.
        mount("proc", made.target, flags=MS_BIND | MS_REC)
    if planned.target == "/dev":
        _furnish(made.target)
    return made


def _furnish(dev: str) -> None:
    """Put into the empty ``/dev`` the links, and the files and folders to mount on."""
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
            mount("dev/null", path, flags=MS_BIND)


def _name(hostname: str) -> None:
    """Set the host name, and the file that tells it."""
    sethostname(hostname)
    nameless = "/dev/shm/hostname"  # noqa: S108  # not for long: the mount keeps it
    with step("writing /etc/hostname"), open(nameless, "x", encoding="utf-8") as file:
        file.write(f"{hostname}\n")
    mount(nameless, "/etc/hostname", flags=MS_BIND)
    with step("writing /etc/hostname"):
        os.unlink(nameless)


def _seal(made: Iterable[Mount]) -> None:
    """Make every mount read-only but those that are writable by plan."""
    writable = {each.target: each.writable for each in made}
    with step("reading /proc/self/mountinfo"), open("/proc/self/mountinfo", "rb") as file:
        points = [*mount_points(os.fsdecode(file.read()))]
    for point in points:
        if not point.flags & MS_RDONLY and not _nearest(point.path, writable):
            _make_read_only(point)


def _nearest(path: str, writable: dict[str, bool]) -> bool:
    """What the plan says of the mount on ``path``, or of the closest one above it."""
    while path not in writable and path != "/":
        path = os.path.dirname(path)
    return writable.get(path, False)


def _make_read_only(point: MountPoint) -> None:
    """Remount with the flags that are there: a user namespace may not take away those of its parent."""
    try:
        mount("", point.path, flags=MS_REMOUNT | MS_BIND | MS_RDONLY | point.flags)
    except StepError as error:
        # Covered by another mount, or in a folder that this user can't enter: no program in here reaches it either.
        if error.errno not in {errno.EACCES, errno.EINVAL, errno.ENOENT}:
            raise

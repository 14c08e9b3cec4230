"""The user that a container's program is on the machine, and the capabilities that it has there: none."""

from __future__ import annotations

import errno
import os
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.containers.sandbox.steps import StepError, step
from cannery.containers.sandbox.syscalls import capset_none, prctl

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["IdMaps", "Range", "die_with_parent", "drop_privileges", "id_maps", "may_map_others", "ranges", "write_maps"]

_PR_SET_PDEATHSIG: Final = 1
_PR_SET_DUMPABLE: Final = 4
_PR_CAPBSET_DROP: Final = 24
_PR_SET_NO_NEW_PRIVS: Final = 38
_PR_CAP_AMBIENT: Final = 47
_PR_CAP_AMBIENT_CLEAR_ALL: Final = 4
_CAP_SETGID: Final = 6
_CAP_SETUID: Final = 7
_SIGKILL: Final = 9


class Range(NamedTuple):
    """A row of IDs, as a line of ``/proc/PID/uid_map`` has it (user_namespaces(7))."""

    inside: int  # the first ID in the namespace
    outside: int  # the one that it is in the parent namespace
    length: int

    def holds(self, number: int) -> bool:
        """True if ``number`` is an ID in the namespace that this row maps."""
        return self.inside <= number < self.inside + self.length


class IdMaps(NamedTuple):
    """The maps of a container's user namespace, from its IDs to the machine's."""

    uids: tuple[Range, ...]
    gids: tuple[Range, ...]
    groups: bool  # true if supplementary groups may be changed, setgroups(2)
    own: tuple[Range, ...] = ()  # users of this process's own namespace, to which the maps above lead

    def is_root(self, uid: int) -> bool:
        """True if user ``uid`` in the container is the machine's root, as far as this process can tell."""
        here = next((each.outside + uid - each.inside for each in self.uids if each.holds(uid)), -1)
        return any(each.holds(here) and each.outside + here - each.inside == 0 for each in self.own)


def ranges(text: str) -> tuple[Range, ...]:
    """Read the ``text`` of ``/proc/PID/uid_map`` or ``gid_map``."""
    return tuple(Range(*map(int, line.split())) for line in text.splitlines())


def may_map_others(status: str) -> bool:
    """True if the process whose ``/proc/PID/status`` this is may map IDs other than its own (capabilities(7))."""
    effective = next(int(line.split()[1], 16) for line in status.splitlines() if line.startswith("CapEff:"))
    return bool(effective >> _CAP_SETUID & 1 and effective >> _CAP_SETGID & 1)


def id_maps(uid: int, gid: int, *, own: tuple[Sequence[Range], Sequence[Range]], privileged: bool) -> IdMaps:
    """The maps under which a program can be ``uid`` and ``gid``; ``own`` are this process's maps of users and groups.

    A ``privileged`` process maps each of its IDs to itself. Any other may map one ID only, its own, to the program's.
    """
    if privileged and all(map(_covers, own, (uid, gid))):
        uids, gids = (tuple(Range(each.inside, each.inside, each.length) for each in ids) for ids in own)
        return IdMaps(uids, gids, groups=True, own=tuple(own[0]))
    return IdMaps((Range(uid, os.geteuid(), 1),), (Range(gid, os.getegid(), 1),), groups=False, own=tuple(own[0]))


def write_maps(pid: int, maps: IdMaps) -> None:
    """Give the user namespace of process ``pid`` its maps; raises :class:`StepError` where that's refused."""
    if not maps.groups:
        _write(pid, "setgroups", "deny")
    _write(pid, "gid_map", _lines(maps.gids))
    _write(pid, "uid_map", _lines(maps.uids))


def die_with_parent() -> None:
    """Have the kernel kill this process when its parent ends (prctl(2), PR_SET_PDEATHSIG).

    It has to be called again after a change of credentials, which undoes it.
    """
    prctl(_PR_SET_PDEATHSIG, _SIGKILL)


def drop_privileges(uid: int, gid: int, *, groups: bool) -> None:
    """Become ``uid`` and ``gid`` for good, with no capability and no way to gain one (capabilities(7))."""
    prctl(_PR_CAP_AMBIENT, _PR_CAP_AMBIENT_CLEAR_ALL)
    _empty_bounding_set()
    with step(f"becoming user {uid} and group {gid}"):
        if groups:
            os.setgroups([])
        os.setresgid(gid, gid, gid)
        os.setresuid(uid, uid, uid)
    capset_none()
    prctl(_PR_SET_NO_NEW_PRIVS, 1)
    # Else the program, which has the same user, could read the memory and the environment of this process: the host's.
    prctl(_PR_SET_DUMPABLE, 0)


def _empty_bounding_set() -> None:
    capability = 0
    while True:
        try:
            prctl(_PR_CAPBSET_DROP, capability)
        except StepError as error:
            if error.errno != errno.EINVAL:
                raise
            return  # this number is past the last capability that the kernel knows
        capability += 1


def _covers(ids: Sequence[Range], number: int) -> bool:
    return any(each.holds(number) for each in ids)


def _lines(maps: Sequence[Range]) -> str:
    return "".join(f"{each.inside} {each.outside} {each.length}\n" for each in maps)


def _write(pid: int, name: str, text: str) -> None:
    path = f"/proc/{pid}/{name}"
    with step(f"writing {name}"), open(path, "w", encoding="utf-8", buffering=len(text) + 1) as file:
        file.write(text)

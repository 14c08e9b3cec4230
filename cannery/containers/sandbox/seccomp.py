"""The system calls that a container's program may make: Docker's default profile, as classic BPF (seccomp(2)).

It's an allow-list: what Docker allows a program without capabilities, from 20.10 to 27. That's every number up to the
newest that all of them know, less those in :data:`REFUSED`. A refused call fails with ``EPERM``; a newer one, or one of
another ABI, with ``ENOSYS``, so that programs take what was there before it. Two codes of ioctl(2) by which a program
types at a terminal are refused as well, which Docker doesn't do.
"""

from __future__ import annotations

import errno
import struct
from typing import TYPE_CHECKING, Final, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["MACHINES", "NEWEST", "REFUSED", "FilteredMachine", "bpf", "filter_for"]

NEWEST: Final = 449  # futex_waitv: from 424 on, numbers are the same on every machine (syscalls(2))

# (number on x86-64, number on AArch64); None where the machine has no such call.
REFUSED: Final[Mapping[str, tuple[int | None, int | None]]] = {
    "_sysctl": (156, None),
    "acct": (163, 89),
    "add_key": (248, 217),
    "afs_syscall": (183, None),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "clock_settime": (227, 112),
    "create_module": (174, None),
    "delete_module": (176, 106),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsconfig": (431, 431),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "fspick": (433, 433),
    "get_kernel_syms": (177, None),
    "get_mempolicy": (239, 236),
    "getpmsg": (181, None),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "ioperm": (173, None),
    "iopl": (172, None),
    "kcmp": (312, 272),
    "kexec_file_load": (320, 294),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "lookup_dcookie": (212, 18),
    "mbind": (237, 235),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "name_to_handle_at": (303, 264),
    "nfsservctl": (180, 42),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "pkey_alloc": (330, 289),
    "pkey_free": (331, 290),
    "pkey_mprotect": (329, 288),
    "process_madvise": (440, 440),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "putpmsg": (182, None),
    "query_module": (178, None),
    "quotactl": (179, 60),
    "quotactl_fd": (443, 443),
    "reboot": (169, 142),
    "request_key": (249, 218),
    "security": (185, None),
    "set_mempolicy": (238, 237),
    "setdomainname": (171, 162),
    "sethostname": (170, 161),
    "setns": (308, 268),
    "settimeofday": (164, 170),
    "swapoff": (168, 225),
    "swapon": (167, 224),
    "sysfs": (139, None),
    "syslog": (103, 116),
    "tuxcall": (184, None),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "ustat": (136, None),
    "vhangup": (153, 58),
    "vserver": (236, None),
}
# Calls whose arguments decide, with their numbers as above.
_CLONE: Final = (56, 220)
_IOCTL: Final = (16, 29)
_PERSONALITY: Final = (135, 92)
_SOCKET: Final = (41, 198)
_CLONE3: Final = 435  # its flags lie in memory, where no filter looks

_NAMESPACES: Final = 0x7E020000  # CLONE_NEWNS, NEWCGROUP, NEWUTS, NEWIPC, NEWUSER, NEWPID, NEWNET
_AF_VSOCK: Final = 40  # sockets to the hypervisor
_PERSONALITIES: Final = (0x0, 0x8, 0x20000, 0x20008, 0xFFFFFFFF)  # Linux, 32 bits, uname 2.6, to ask
_TYPING: Final = (0x5412, 0x541C)  # TIOCSTI, TIOCLINUX

_ALLOW: Final = 0x7FFF0000
_EPERM: Final = 0x00050000 | errno.EPERM
_ENOSYS: Final = 0x00050000 | errno.ENOSYS

# Instructions of classic BPF (linux/bpf_common.h), and offsets in struct seccomp_data.
_LOAD, _EQUAL, _AT_LEAST, _ANY_BIT, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_NUMBER, _ARCHITECTURE, _ARGUMENT, _SECOND = 0, 4, 16, 24


class FilteredMachine(NamedTuple):
    """A machine that there is a filter for."""

    column: int  # of the tables above
    architecture: int  # AUDIT_ARCH_… (linux/audit.h)
    gaps: tuple[tuple[int, int], ...]  # numbers that mean nothing there: the first, and that behind the last


MACHINES: Final = {
    "x86_64": FilteredMachine(0, 0xC000003E, ((335, 424),)),
    "aarch64": FilteredMachine(1, 0xC00000B7, ((244, 260), (295, 424))),
}


class _Instruction(NamedTuple):
    code: int
    if_true: int
    if_false: int
    operand: int


_Code = tuple[_Instruction, ...]


def filter_for(machine: str) -> bytes | None:
    """The filter for ``machine``, called as uname(2) calls it, as an array of struct sock_filter; None for others."""
    known = MACHINES.get(machine)
    return None if known is None else b"".join(struct.pack("=HBBI", *each) for each in bpf(known))


def bpf(machine: FilteredMachine) -> _Code:
    """The filter for ``machine`` as instructions."""
    decisions = _decisions(machine)
    return (
        _Instruction(_LOAD, 0, 0, _ARCHITECTURE),
        _Instruction(_EQUAL, 1, 0, machine.architecture),
        _return(_ENOSYS),
        _Instruction(_LOAD, 0, 0, _NUMBER),
        *_search(decisions),
    )


def _decisions(machine: FilteredMachine) -> list[tuple[int, _Code]]:
    """The number at which each row of calls begins that are decided alike, with the code that decides; sorted."""
    of_number: dict[int, _Code] = dict.fromkeys(range(NEWEST + 1), (_return(_ALLOW),))
    for first, end in machine.gaps:
        of_number.update(dict.fromkeys(range(first, end), (_return(_ENOSYS),)))
    for numbers in REFUSED.values():
        if (number := numbers[machine.column]) is not None:
            of_number[number] = (_return(_EPERM),)
    of_number[_CLONE[machine.column]] = _unless(_ARGUMENT, _ANY_BIT, (_NAMESPACES,))
    of_number[_SOCKET[machine.column]] = _unless(_ARGUMENT, _EQUAL, (_AF_VSOCK,))
    of_number[_IOCTL[machine.column]] = _unless(_SECOND, _EQUAL, _TYPING)
    of_number[_PERSONALITY[machine.column]] = _only(_ARGUMENT, _PERSONALITIES)
    of_number[_CLONE3] = (_return(_ENOSYS),)
    of_number[NEWEST + 1] = (_return(_ENOSYS),)
    return [(number, code) for number, code in of_number.items() if code != of_number.get(number - 1)]


def _search(decisions: Sequence[tuple[int, _Code]]) -> _Code:
    """Code that finds the decision for the number that is loaded, by halves; each half is near enough for one jump."""
    if len(decisions) == 1:
        return decisions[0][1]
    middle = len(decisions) // 2
    low, high = _search(decisions[:middle]), _search(decisions[middle:])
    return (_Instruction(_AT_LEAST, len(low), 0, decisions[middle][0]), *low, *high)


def _unless(offset: int, test: int, operands: Sequence[int]) -> _Code:
    """Code that allows a call unless the argument at ``offset`` passes the ``test`` with one of ``operands``."""
    return _tested(offset, test, operands, _EPERM, _ALLOW)


def _only(offset: int, operands: Sequence[int]) -> _Code:
    """Code that allows a call where the argument at ``offset`` is one of ``operands``."""
    return _tested(offset, _EQUAL, operands, _ALLOW, _EPERM)


def _tested(offset: int, test: int, operands: Sequence[int], passed: int, failed: int) -> _Code:
    last = len(operands)
    tests = (_Instruction(test, last - number, 0, operand) for number, operand in enumerate(operands))
    return (_Instruction(_LOAD, 0, 0, offset), *tests, _return(failed), _return(passed))


def _return(value: int) -> _Instruction:
    return _Instruction(_RETURN, 0, 0, value)

"""The filter of system calls, as the kernel would run it."""

from __future__ import annotations

import errno
import re
from pathlib import Path

import pytest

from cannery.containers.sandbox.seccomp import MACHINES, NEWEST, REFUSED, bpf, filter_for

pytestmark = pytest.mark.once

ALLOWED, EPERM, ENOSYS = 0x7FFF0000, 0x50000 | errno.EPERM, 0x50000 | errno.ENOSYS
HEADERS = {"x86_64": "/usr/include/x86_64-linux-gnu/asm/unistd_64.h", "aarch64": "/usr/include/asm-generic/unistd.h"}
MACHINE = pytest.mark.parametrize("machine", ["x86_64", "aarch64"])


def decided(machine: str, number: int, *arguments: int, architecture: int | None = None) -> int:
    """What the filter returns for a call: classic BPF, one instruction after the other."""
    known = MACHINES[machine]
    data = {0: number, 4: known.architecture if architecture is None else architecture}
    data |= {16 + 8 * place: value for place, value in enumerate((*arguments, 0, 0)[:2])}
    code, place, loaded = bpf(known), 0, 0
    while code[place].code != 0x06:
        each = code[place]
        match each.code:
            case 0x20:
                loaded, jump = data[each.operand], 0
            case 0x15:
                jump = each.if_true if loaded == each.operand else each.if_false
            case 0x35:
                jump = each.if_true if loaded >= each.operand else each.if_false
            case 0x45:
                jump = each.if_true if loaded & each.operand else each.if_false
        place += 1 + jump
    return code[place].operand


@MACHINE
def test_every_call_is_decided_by_the_table(machine: str) -> None:
    known = MACHINES[machine]
    refused = {numbers[known.column] for numbers in REFUSED.values()}
    missing = {number for first, end in known.gaps for number in range(first, end)} | {435}
    for number in range(NEWEST + 100):
        expected = ENOSYS if number in missing or number > NEWEST else EPERM if number in refused else ALLOWED
        assert decided(machine, number) == expected, number


@MACHINE
def test_another_abi_has_no_calls(machine: str) -> None:
    assert decided(machine, 1, architecture=0x40000003) == ENOSYS
    assert decided(machine, 1 | 0x40000000) == ENOSYS


@pytest.mark.parametrize(
    ("call", "allowed", "refused"),
    [
        ((56, 220), (17,), (17 | 0x10000000,)),
        ((41, 198), (2, 1), (40, 1)),
        ((16, 29), (0, 0x5401), (0, 0x5412)),
        ((16, 29), (0, 0x5413), (0, 0x541C)),
        ((135, 92), (0xFFFFFFFF,), (0x40000,)),
    ],
    ids=["clone", "socket", "ioctl", "ioctl", "personality"],
)
@MACHINE
def test_arguments_decide(
    machine: str, call: tuple[int, int], allowed: tuple[int, ...], refused: tuple[int, ...]
) -> None:
    number = call[MACHINES[machine].column]
    assert decided(machine, number, *allowed) == ALLOWED
    assert decided(machine, number, *refused) == EPERM


@MACHINE
def test_the_numbers_are_the_kernel_s(machine: str) -> None:
    header = Path(HEADERS[machine])
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    found = re.findall(r"^#define __NR(?:3264)?_(\w+)\s+(\d+)", header.read_text(), re.MULTILINE)
    numbers = {name: int(number) for name, number in found}
    column = MACHINES[machine].column
    assert {name: numbers.get(name) for name in REFUSED} == {name: each[column] for name, each in REFUSED.items()}


def test_another_machine_has_no_filter() -> None:
    assert filter_for("riscv64") is None
    assert len(filter_for("x86_64") or b"") % 8 == 0

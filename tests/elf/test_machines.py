"""Processors by their numbers: the names are those of others."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from cannery.elf.machines import PROCESSORS, machine_name
from cannery.image.platform import MACHINES

pytestmark = pytest.mark.once


def test_the_machines_of_images_are_known() -> None:
    known = {machine_name(number) for number in range(260)}
    assert {machine.elf for machine in MACHINES} <= known


def test_a_number_that_linux_never_ran_on_is_told_as_it_is() -> None:
    assert machine_name(64_242) == "EM_64242"


def defined(prefix: str) -> list[tuple[str, int]]:
    """The constants of the C library's elf.h with a ``prefix``."""
    header = Path("/usr/include/elf.h")
    if not header.is_file():
        pytest.skip(f"{header} is not installed")
    found = re.findall(rf"^#define ({prefix}\w+)\s+(\d+)", header.read_text(encoding="utf-8"), re.MULTILINE)
    return [(name, int(number)) for name, number in found]


def test_names_are_the_c_library_s() -> None:
    theirs: dict[int, set[str]] = {}
    for name, number in defined("EM_"):
        theirs.setdefault(number, set()).add(name)
    ours = {number: machine_name(number) for number in range(260) if machine_name(number) != f"EM_{number}"}
    assert len(ours) > 30
    assert [name for number, name in ours.items() if name not in theirs[number]] in ([], ["EM_ARC_COMPACT2"])


def test_relocations_have_the_numbers_of_the_c_library() -> None:
    numbers = dict(defined("R_"))
    for machine, prefix, absolute in ((62, "R_X86_64", "64"), (183, "R_AARCH64", "ABS64")):
        processor = PROCESSORS[machine]
        assert processor.relative == numbers[f"{prefix}_RELATIVE"]
        assert list(processor.symbolic) == [numbers[f"{prefix}_{absolute}"], numbers[f"{prefix}_GLOB_DAT"]]

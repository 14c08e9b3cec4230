"""Processors by the number that an ELF header has for them (``e_machine``), and two that rewrites know."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.elf.constants import EM_AARCH64, EM_X86_64

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["PROCESSORS", "Processor", "machine_name"]


@dataclass(frozen=True, slots=True)
class Processor:
    """A processor, as far as a rewrite must know it (from its psABI)."""

    page: int  # bytes: the smallest size of a page
    relative: int  # the type of a relocation that writes an address of the file itself (R_…_RELATIVE)
    symbolic: Mapping[int, bool]  # types that write a symbol's address -> whether they add their addend to it


PROCESSORS: Final = {
    EM_X86_64: Processor(4096, relative=8, symbolic={1: True, 6: False}),  # R_X86_64_64, R_X86_64_GLOB_DAT
    EM_AARCH64: Processor(4096, relative=1027, symbolic={257: True, 1025: True}),  # R_AARCH64_ABS64, …_GLOB_DAT
}

_NAMES: Final = {  # those that Linux has run on (linux/elf-em.h)
    0: "EM_NONE",
    2: "EM_SPARC",
    3: "EM_386",
    4: "EM_68K",
    8: "EM_MIPS",
    15: "EM_PARISC",
    18: "EM_SPARC32PLUS",
    20: "EM_PPC",
    21: "EM_PPC64",
    22: "EM_S390",
    23: "EM_SPU",
    40: "EM_ARM",
    42: "EM_SH",
    43: "EM_SPARCV9",
    46: "EM_H8_300",
    50: "EM_IA_64",
    62: "EM_X86_64",
    76: "EM_CRIS",
    88: "EM_M32R",
    89: "EM_MN10300",
    92: "EM_OPENRISC",
    93: "EM_ARC_COMPACT",
    94: "EM_XTENSA",
    106: "EM_BLACKFIN",
    110: "EM_UNICORE",
    113: "EM_ALTERA_NIOS2",
    140: "EM_TI_C6000",
    164: "EM_QDSP6",
    167: "EM_NDS32",
    183: "EM_AARCH64",
    188: "EM_TILEPRO",
    189: "EM_MICROBLAZE",
    191: "EM_TILEGX",
    195: "EM_ARC_COMPACT2",
    243: "EM_RISCV",
    247: "EM_BPF",
    252: "EM_CSKY",
    258: "EM_LOONGARCH",
    0x9026: "EM_ALPHA",
}


def machine_name(number: int) -> str:
    """The specification's name for an ``e_machine``: ``EM_X86_64``; ``EM_4242`` where Linux never ran on it."""
    return _NAMES.get(number, f"EM_{number}")

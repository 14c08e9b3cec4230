"""The tables that libraries find the program's symbols by: walked here as a loader walks them."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from cannery.executable.static.exports import assembly, library_file
from cannery.executable.static.libraries import LinkedLibraries
from cannery.image.content import Inline
from tests.support.elf_files import compile_c

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

PAGE = 1 << 16
NAMES = [f"name_{number}" for number in range(40)]
# System V gABI, chapter 5: hash table, symbol table and strings; 24 bytes a symbol.
WALKER = """
#include <elf.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
struct library { const char *path; const unsigned char *start, *end; };
struct exports { const char *name; const Elf64_Sym *symbols; const uint32_t *hash; const char *strings; };
extern const struct library cannery_libraries[];
extern const struct exports cannery_exports[];
static uint32_t hash_of(const char *name) {
    uint32_t value = 0, high;
    for (; *name; name++) {
        value = (value << 4) + (unsigned char)*name;
        if ((high = value & 0xf0000000)) value ^= high >> 24;
        value &= ~high;
    }
    return value;
}
static uintptr_t found(const struct exports *in, const char *name) {
    const uint32_t *buckets = in->hash + 2, *chains = buckets + in->hash[0];
    for (uint32_t each = buckets[hash_of(name) % in->hash[0]]; each; each = chains[each])
        if (!strcmp(in->strings + in->symbols[each].st_name, name)) return in->symbols[each].st_value;
    return 0;
}
int main(void) {
    for (const struct exports *each = cannery_exports; each->name; each++)
        printf("%s %u %d\\n", each->name, each->hash[1] - 1, CHECKS);
    for (const struct library *each = cannery_libraries; each->path; each++)
        printf("%s|%.*s|%d\\n", each->path, (int)(each->end - each->start), (const char *)each->start,
               (int)((uintptr_t)each->start % PAGE));
    printf("%d\\n", cannery_libraries[0].start == cannery_libraries[2].start);
}
"""


def test_each_name_leads_to_its_function_and_each_path_to_the_bytes_of_its_library(tmp_path: Path) -> None:
    same, other = Inline(b"one"), Inline(b"other")
    files = {'/a "x".so': same, "/é.so": other, "/the/same.so": same}
    libraries = LinkedLibraries(
        files, frozenset(NAMES), {"libz.so.1": frozenset({"name_7"}), "libempty.so": frozenset()}
    )
    for number, content in enumerate(libraries.contents):
        (tmp_path / library_file(number)).write_bytes(content.data if isinstance(content, Inline) else b"")
    (tmp_path / "tables.S").write_text(assembly(libraries, PAGE), encoding="utf-8")
    functions = "".join(f"void {name}(void) {{}}\n" for name in NAMES)
    checks = " + ".join(f'(found(each, "{name}") == (uintptr_t){name})' for name in NAMES)
    source = functions + WALKER.replace("CHECKS", f'{checks} + 1000 * (found(each, "none") != 0)').replace(
        "PAGE", str(PAGE)
    )
    tables = ["-static", "-fno-pie", "-no-pie", f"-Wa,-I{tmp_path}", "-xassembler", str(tmp_path / "tables.S")]
    program = compile_c(source, tmp_path / "program", *tables)
    answer = subprocess.run([program], capture_output=True, text=True, check=True).stdout.splitlines()
    assert answer[:3] == ["libc.so 40 40", "libz.so.1 1 1", "libempty.so 0 0"]
    assert answer[3:] == ['/a "x".so|one|0', "/é.so|other|0", "/the/same.so|one|0", "1"]

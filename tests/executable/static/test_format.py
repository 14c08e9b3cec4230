"""The document on the executable's format says what the code does: its examples are made anew here."""

from __future__ import annotations

import re
import subprocess
import sys
from ast import literal_eval
from marshal import loads
from pathlib import Path

import pytest

from cannery.executable.static import columns
from cannery.executable.static.archive import ArchivedModule, ModuleArchive
from cannery.executable.static.columns import COLUMNS, absolute_branches, columns_of
from cannery.executable.static.link import LAUNCHER
from cannery.image.content import Inline
from cannery.python.line_table import with_few_lines
from cannery.python.marshal import joined, tokens_of, with_few_references

pytestmark = pytest.mark.once

FOLDER = Path(columns.__file__).parent
TEXT = (FOLDER / "README.md").read_text(encoding="utf-8")
# Of the example's instructions (PRECALL and CALL of CPython 3.11): how many code units of inline cache follow.
CACHES = [{0xA6: 1, 0xAB: 4}.get(opcode, 0) for opcode in range(256)]


def example(name: str) -> list[str]:
    """The lines of the block below <!-- example: NAME -->."""
    found = re.search(rf"<!-- example: {name} -->\n\n```\w*\n(.*?)```", TEXT, re.DOTALL)
    assert found is not None
    return found[1].splitlines()


def bytecode() -> bytes:
    """The example's bytes, less what is said of them behind two spaces."""
    return b"".join(bytes.fromhex(re.split(r"\s{2,}", line.strip())[0]) for line in example("bytecode"))


def test_the_bytecode_becomes_these_columns() -> None:
    rows = [re.fullmatch(r" ?(\d+) ([A-Z_]+) +([0-9a-f ]+)", line) for line in example("columns")]
    shown = {int(row[1]): bytes.fromhex(row[3]) for row in rows if row is not None}
    assert len(shown) == len(rows)
    columns, stayed = columns_of([bytecode()], CACHES)
    assert dict(enumerate(columns)) == {number: shown.get(number, b"") for number in range(COLUMNS)}
    assert stayed == {}


@pytest.mark.skipif(sys.version_info[:2] != (3, 11), reason="the example is what CPython 3.11 makes")
def test_the_source_becomes_this_bytecode() -> None:
    code = "import marshal, sys; sys.stdout.buffer.write(marshal.dumps(compile(sys.stdin.read(), 'm.py', 'exec')))"
    made = subprocess.run(
        [sys.executable, "-I", "-X", "no_debug_ranges", "-c", code],
        input=b"x = 1\nprint(x)\n",
        check=True,
        capture_output=True,
    ).stdout
    assert "```python\nx = 1\nprint(x)\n```" in TEXT
    assert joined(with_few_lines(with_few_references(tokens_of(made)))) == bytecode()


def test_the_table_has_the_columns_of_the_code_in_c() -> None:
    header = (LAUNCHER / "columns.h").read_text(encoding="utf-8")
    kinds = re.search(r"enum \{\s*(KINDS[^=]*NUMBERS),", header)
    assert kinds is not None
    names = kinds[1].replace(",", " ").split()
    names = [*names, *["NUMBERS"] * 4, *["BYTES"] * 5, *["SIZES"] * 5]
    shown: dict[int, str] = {}
    for first, last, name in re.findall(r"^\| (\d+)(?:-(\d+))? \| ([A-Z_]+) \|", TEXT, re.MULTILINE):
        shown |= dict.fromkeys(range(int(first), int(last or first) + 1), name)
    assert [shown[number] for number in sorted(shown)] == names
    assert len(names) == COLUMNS
    assert f"#define COLUMNS {COLUMNS}\n" in header


def test_branches_become_these() -> None:
    before, after = (bytes.fromhex(line.split(maxsplit=1)[1]) for line in example("branches"))
    assert absolute_branches(before, "linux/amd64") == after


@pytest.mark.parametrize("place", [0, 1, 5, 11])
def test_no_two_distances_become_one(place: int) -> None:
    size, beyond = 16, 40
    seen: dict[int, int] = {}
    for distance in range(-beyond, beyond):
        code = bytes(place) + b"\xe8" + distance.to_bytes(4, "little", signed=True) + bytes(size - place - 5)
        made = absolute_branches(code, "linux/amd64")
        seen[int.from_bytes(made[place + 1 : place + 5], "little", signed=True)] = distance
    assert sorted(seen) == list(range(-beyond, beyond))


def test_the_archive_has_this_index() -> None:
    modules, files, facts = literal_eval("\n".join(example("index")))
    archive = ModuleArchive(
        {
            "n": ArchivedModule("/app/n/", package=True, bytecode=None),
            "a": ArchivedModule("/app/a.py", package=False, bytecode=Inline(bytes(16 + modules["a"][3]))),
        },
        {path: Inline(b"abc") for path in files},
        facts,
    )
    offset, size = archive.index
    assert loads(archive.data[offset : offset + size]) == (modules, files, facts)  # noqa: S302
    assert offset + size == len(archive.data)


def test_what_it_says_is_bound_to_a_version_is_there() -> None:
    table = TEXT.partition("## What is bound to a version")[2]
    for files, what in re.findall(r"^\| (`[^|]+) \| ([^|]+) \|", table, re.MULTILINE):
        code = ""
        for name in re.findall(r"`([^`]+)`", files):
            places = (FOLDER / name, LAUNCHER / name, FOLDER.parents[1] / name)
            code += next(path.read_text(encoding="utf-8") for path in places if path.is_file())
        for word in re.findall(r"`([^`]+)`", what):
            assert word in code, (files, word)


def test_every_file_of_the_launcher_is_told_of() -> None:
    files = {path.name for path in LAUNCHER.iterdir() if path.is_file()} - {"__init__.py"}
    assert {name for name in files if f"`{name}`" not in TEXT and f"`launcher/{name}`" not in TEXT} == set()


def test_every_file_that_is_told_of_is_there() -> None:
    told = {*re.findall(r"`((?:launcher/)?[a-z]+\.(?:c|py))`", TEXT)} - {
        "app.c",
        "dynlink.c",
    }  # link.py writes the one, a kit has the other
    assert {name for name in told if not (FOLDER / name).is_file() and not (LAUNCHER / name).is_file()} == set()

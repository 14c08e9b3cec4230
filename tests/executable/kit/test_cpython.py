"""A part of CPython's own tests, run by a kit's Python; all of them take ``python -m benchmarks.cpython``."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from benchmarks.cpython import DOCUMENT, Outcome, expected, prepared, reason, run
from cannery.errors import ToolError
from cannery.executable.kit.cpython import from_archives, modules_to_build
from cannery.executable.kit.kit import given_kit
from cannery.executable.kit.toolchain import native_target
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

# What the libraries in C are behind, and what musl might do in another way than other C libraries.
MODULES = (
    *("test_bz2", "test_lzma", "test_zlib", "test_hashlib", "test_hmac", "test_struct", "test_cmath", "test_math"),
    *("test_dbm_dumb", "test_unicodedata", "test_time", "test_strftime", "test_zoneinfo", "test_select"),
    *("test_signal", "test_locale", "test_glob", "test_tempfile", "test_pickle", "test_pyexpat", "test_uuid"),
)


@pytest.fixture(scope="module")
def outcome(kit: Path, cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    folder = tmp_path_factory.mktemp("cpython")
    workspace = Workspace(Cache(cache))
    try:
        python = prepared(given_kit(kit, native_target().platform, workspace).folder, folder, workspace)
    except ToolError as error:  # it can't be had
        absent(f"CPython's source ({error.evidence})")
    return run(python, MODULES, folder, "-j2")


# Of the Makefile of Python 3.14: two modules have the same objects, each as such or in an archive.
HASHES = """
LIBHACL_MD5_OBJS= md5.o
LIBHACL_MD5_LIB_STATIC=libMD5.a
LIBHACL_MD5_LIB_SHARED=$(LIBHACL_MD5_OBJS)
LIBHACL_HMAC_OBJS= hmac.o $(LIBHACL_MD5_OBJS)
LIBHACL_HMAC_LIB_STATIC=libHMAC.a
LIBHACL_HMAC_LIB_SHARED=$(LIBHACL_HMAC_OBJS)
$(info $(LIBHACL_MD5_LIB_SHARED) $(LIBHACL_HMAC_LIB_SHARED))
all: ;
"""
OLDER = "LIBHACL_SHA2_A= Modules/_hacl/libHacl_Hash_SHA2.a\n"


def test_no_object_is_linked_twice(tmp_path: Path) -> None:
    (tmp_path / "Makefile").write_text(HASHES, encoding="utf-8")
    linked = [
        subprocess.run(["make", "-s", *settings], cwd=tmp_path, check=True, capture_output=True, text=True).stdout
        for settings in ((), from_archives(HASHES), from_archives(OLDER))
    ]
    assert linked == ["md5.o hmac.o md5.o\n", "libMD5.a libHMAC.a\n", "md5.o hmac.o md5.o\n"]


# As the configure of 3.15 leaves Modules/Setup.stdlib: modules of tests in between, and others after them.
SETUP = """
*static*
array arraymodule.c
#_testcapi _testcapimodule.c
_ctypes _ctypes/_ctypes.c _ctypes/callbacks.c
*shared*
_testimportmultiple _testimportmultiple.c
*static*
_asyncio _asynciomodule.c
"""


def test_modules_behind_those_of_tests_are_built_too(tmp_path: Path) -> None:
    (tmp_path / "Modules").mkdir()
    (tmp_path / "Modules/Setup.stdlib").write_text(SETUP, encoding="utf-8")
    lines = [line for line in modules_to_build(tmp_path) if line and not line.startswith("#")]
    ctypes = "_ctypes _ctypes/_ctypes.c _ctypes/callbacks.c"
    assert lines == ["*static*", "array arraymodule.c", ctypes, "*static*", "_asyncio _asynciomodule.c"]


def test_what_fails_is_told_with_its_reason(outcome: Outcome) -> None:
    known = expected(DOCUMENT.read_text(encoding="utf-8"))
    assert not {name for name in outcome.failing if reason(name, known) is None}


def test_everything_ran(outcome: Outcome) -> None:
    assert outcome.whole + len(outcome.broken) == len(MODULES)
    assert not outcome.absent
    assert outcome.passed > 1000


def test_a_pattern_in_the_table_stands_for_many_tests() -> None:
    known = expected("| `test_a.B.*`, `test_c` | musl |\n| `test_d.E.f` | docstrings |\n")
    assert reason("test_a.B.x", known) == reason("test_c", known) == "musl"
    assert reason("test_d.E.f", known) == "docstrings"
    assert reason("test_c.D.e", known) is None

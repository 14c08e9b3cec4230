"""What cannery borrows from others: the list of it is true, and what no other test would show is shown here."""

from __future__ import annotations

import ast
import importlib.util
import json
import platform
import re
import subprocess
import sys
import sysconfig
from contextlib import closing
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import requests

import cannery
from cannery.audit.elf_facts import _PYINSTALLER
from cannery.containers.engine.client import _SdkClient
from cannery.executable.static.packing import _CACHES
from cannery.image.platform import TRIPLETS
from cannery.image.rootfs import MACHINE
from cannery.python.cython_strings import _MARK
from cannery.python.stdlib import BRINGS_BACK_FOR_THE_APP
from cannery.trees.base.python import _KNOWN_GLIBC, find_python
from cannery.workspace.process import find_uv, run
from tests.support.elf_files import compile_c
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Iterator

TESTS = Path(__file__).parent
PACKAGE = Path(cannery.__file__).parent
_ROWS = re.compile(r"^\| (.+?) \| (`[^|]+) \| ([^|]+) \| ([^|]+) \|$", re.MULTILINE)


def rows() -> Iterator[tuple[str, list[str], list[str]]]:
    """What is borrowed, the files that use it, and the tests that would fail."""
    text = (TESTS.parent / "docs" / "borrowed.md").read_text(encoding="utf-8")
    for what, files, _, shown in _ROWS.findall(text):
        yield what, re.findall(r"`([^`]+)`", files), re.findall(r"`([^`]+)`", shown)


@pytest.mark.once
def test_the_list_names_files_that_there_are_and_what_is_in_them() -> None:
    wrong = []
    for what, files, _ in rows():
        texts = [path.read_text(encoding="utf-8") for name in files if (path := PACKAGE / name).is_file()]
        wrong += [f"{what}: not all of {files} are there"] if len(texts) != len(files) else []
        words = re.findall(r"`([^`]+)`", what)
        wrong += [f"{word} is in none of {files}" for word in words if not any(word in text for text in texts)]
    assert wrong == []


@pytest.mark.once
def test_the_list_names_tests_that_there_are() -> None:
    named = {name for _, _, shown in rows() for name in shown if ".py" in name}
    assert len(named) > 40
    assert {name for name in named if not _is_a_test(*name.split("::"))} == set()


def _is_a_test(path: str, function: str = "") -> bool:
    if not (TESTS / path).is_file():
        return False
    found = ast.parse((TESTS / path).read_text(encoding="utf-8")).body
    return not function or function in {each.name for each in found if isinstance(each, ast.FunctionDef)}


def test_python_says_that_a_thread_can_t_be_started() -> None:
    code = "import threading; threading.stack_size(1 << 46); threading.Thread(target=print).start()"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert done.stderr.endswith("RuntimeError: can't start new thread\n")


@pytest.mark.once
def test_the_loader_says_that_it_failed_to_map_what_may_not_be_executed(tmp_path: Path) -> None:
    library = compile_c("int x;", tmp_path / "library.so", "-shared")
    (tmp_path / "sealed").mkdir()
    program = (
        "import ctypes, os, shutil, sys\n"
        "from pathlib import Path\n"
        "from cannery.containers.sandbox.syscalls import CLONE_NEWNS, CLONE_NEWUSER, MS_NOEXEC, mount, unshare\n"
        "user, group = os.geteuid(), os.getegid()\n"
        "unshare(CLONE_NEWUSER | CLONE_NEWNS)\n"
        "for name, text in ('setgroups', 'deny'), ('uid_map', f'0 {user} 1'), ('gid_map', f'0 {group} 1'):\n"
        "    Path('/proc/self', name).write_text(text)\n"
        "mount('tmpfs', sys.argv[2], 'tmpfs', MS_NOEXEC)\n"
        "ctypes.CDLL(shutil.copyfile(sys.argv[1], f'{sys.argv[2]}/library.so'))\n"
    )
    command = [sys.executable, "-c", program, str(library), str(tmp_path / "sealed")]
    said = subprocess.run(command, capture_output=True, text=True, check=False).stderr
    if "in __init__" not in said:
        absent(f"a file system of one's own ({said.strip().rpartition(chr(10))[2]})")
    assert "failed to map" in said


def test_python_says_how_long_inline_caches_are() -> None:
    entries = json.loads(run([sys.executable, "-I", "-S", "-c", _CACHES]).stdout)["entries"]
    assert len(entries) == 256
    assert sum(entries) > 0


def test_this_python_and_its_c_library_say_their_versions_where_those_of_bases_are_looked_for() -> None:
    if sysconfig.get_config_var("Py_DEBUG") or platform.libc_ver()[0] != "glibc":
        absent("a Python on glibc")
    found = find_python(MACHINE, [f"{sys.base_prefix}/bin"], "this machine")
    assert found.version[:2] == sys.version_info[:2]
    assert platform.python_version().startswith(found.version_text)  # two parts of it where a linker has merged texts
    assert ".".join(map(str, found.libc_version)) == platform.libc_ver()[1]


@pytest.mark.once
def test_certificates_of_an_engine_are_not_beaten_by_those_of_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", "/of/the/environment")
    plain = requests.Session()
    plain.verify = "/of/the/engine"
    assert plain.merge_environment_settings("https://engine", {}, None, None, None)["verify"] == "/of/the/environment"
    with closing(_SdkClient("https://engine:2376", version="1.40")) as client:
        client.verify = "/of/the/engine"
        assert client.merge_environment_settings("https://engine", {}, None, None, None)["verify"] == "/of/the/engine"


@pytest.mark.once
def test_every_module_that_stays_behind_is_one_of_the_oldest_python() -> None:
    assert set(BRINGS_BACK_FOR_THE_APP) - {"test"} <= sys.stdlib_module_names


@pytest.mark.once
def test_uv_knows_the_c_libraries_that_wheels_are_chosen_for_and_no_others() -> None:
    said = run([find_uv(), "pip", "compile", "--help"]).stdout
    known = {(machine, int(minor)) for machine, minor in re.findall(r"(\w+)-manylinux_2_(\d+)", said)}
    assert known == {(machine, minor) for machine in TRIPLETS.values() for minor in _KNOWN_GLIBC}


@pytest.mark.once
@pytest.mark.parametrize(
    ("package", "file", "mark"),
    [
        ("Cython", "Utility/StringTools.c", _MARK.decode()),
        ("PyInstaller", "archive/writers.py", _PYINSTALLER.decode()),
    ],
)
def test_files_that_others_make_are_known_by_what_they_say(package: str, file: str, mark: str) -> None:
    spec = importlib.util.find_spec(package)
    if spec is None or spec.origin is None:
        absent(package)
    text = (Path(spec.origin).parent / file).read_text(encoding="utf-8")
    escaped = "".join(letter if letter.isprintable() else f"\\{ord(letter):03o}" for letter in mark)
    assert escaped in text

"""Extension modules that are kept compressed: unpacked into memory when they're imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.content import OnDisk
from cannery.image.tree import Decision, File, Tree
from cannery.imports.host import host_of
from cannery.python.interpreter import describe
from cannery.trees.transforms import compressed as compressing
from cannery.trees.transforms import compressible
from cannery.trees.transforms.compressed import LIBRARY_LOADER, CompressedPart, compressed, imports_of_payload
from tests.support.elf_files import compile_c
from tests.support.tree_contents import read

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

SITE = "/usr/lib/python3/site-packages"
LIB = "/usr/lib/python3"
PART = CompressedPart(SITE, (SITE,))
# An extension module of several blocks, with data that is no use to anybody
MODULE = """
#define PY_SSIZE_T_CLEAN
#include <Python.h>
static const unsigned char ballast[300000] = {1};
static PyObject *weight(PyObject *self, PyObject *args) { return PyLong_FromLong(sizeof ballast + ballast[0]); }
static PyMethodDef methods[] = {{"weight", weight, METH_NOARGS, 0}, {0}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "heavy", 0, 0, methods};
PyMODINIT_FUNC PyInit_heavy(void) { return PyModule_Create(&definition); }
"""


@pytest.fixture
def site(workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with a module that counts as very large."""
    import sysconfig  # noqa: PLC0415

    monkeypatch.setattr(compressible, "_LARGE", 200_000)
    monkeypatch.setattr(compressing, "_BLOCK", 100_000)
    include = f"-I{sysconfig.get_paths()['include']}"
    heavy = compile_c(MODULE, tmp_path / "heavy.so", "-shared", "-fPIC", "-s", include)
    tree = Tree({f"{SITE}/pack/heavy.so": File(OnDisk(heavy, heavy.stat().st_size), 0o755)})
    for path, file in (tree | compressed(PART, workspace)).files():
        target = tmp_path / "site" / path.removeprefix(f"{SITE}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(file))
    return tmp_path / "site"


def ask(site: Path, program: str) -> subprocess.CompletedProcess[str]:
    start = f"import site; site.addsitedir({str(site)!r})\n{program}"
    return subprocess.run([sys.executable, "-I", "-c", start], capture_output=True, text=True, check=False)


def test_a_large_module_is_compressed_and_works(site: Path) -> None:
    assert sorted(path.name for path in (site / "pack").iterdir()) == ["heavy.so.xz"]
    done = ask(site, "import pack.heavy as h; print(h.weight(), h.__file__, h.__spec__.origin)")
    assert done.stdout == f"300001 {site}/pack/heavy.so.xz {site}/pack/heavy.so.xz\n", done.stderr


def test_it_is_unpacked_once_for_all_forked_workers(site: Path) -> None:
    program = "import os, pack.heavy as h\npid = os.fork()\nprint(h.weight(), flush=True)\nif pid: os.wait()"
    assert ask(site, program).stdout == "300001\n300001\n"


def test_a_small_module_stays_as_it_is(workspace: Workspace, tmp_path: Path) -> None:
    (tmp_path / "light.so").write_bytes(b"\x7fELF")
    tree = Tree({f"{SITE}/light.so": File(OnDisk(tmp_path / "light.so", 4))})
    assert (tree | compressed(PART, workspace)) == tree


@pytest.mark.parametrize("refusing", ["os.memfd_create", "loader"])
def test_where_memory_may_not_be_executed_the_message_says_what_to_do(site: Path, refusing: str) -> None:
    forbid = {
        "os.memfd_create": "import os\ndef no(*_): raise PermissionError(13, 'no')\nos.memfd_create = no\n",
        "loader": "import _imp, lzma\ndef no(*_): raise ImportError('failed to map')\n_imp.create_dynamic = no\n",
    }
    done = ask(site, f"{forbid[refusing]}import pack.heavy")
    assert "this machine forbids programs in memory" in done.stderr
    assert "compress = false" in done.stderr


def test_a_module_that_finds_libraries_beside_itself_stays_there(
    workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(compressible, "_LARGE", 100)
    path = compile_c("int x;", tmp_path / "beside.so", "-shared", "-Wl,-rpath,$ORIGIN/../x.libs")
    tree = Tree({f"{SITE}/beside.so": File(OnDisk(path, path.stat().st_size))})
    made = tree | compressed(PART, workspace)
    assert made.entries == tree.entries
    why = "it looks for libraries beside itself ($ORIGIN/../x.libs), which a file in memory can't"
    assert made.decisions == (Decision(f"{SITE}/beside.so", "compress", why, path.stat().st_size),)


def test_a_file_that_is_cut_off_is_no_module(site: Path) -> None:
    path = site / "pack" / "heavy.so.xz"
    path.write_bytes(path.read_bytes()[:-400])
    assert "ImportError: " in ask(site, "import pack.heavy").stderr


def test_the_second_time_it_comes_from_the_cache(
    site: Path, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delattr(compressing._Block, "compressed")  # noqa: SLF001  # whatever would compress again
    heavy = tmp_path / "heavy.so"
    tree = Tree({f"{SITE}/pack/heavy.so": File(OnDisk(heavy, heavy.stat().st_size))})
    again = compressed(PART, workspace)(tree).entries[f"{SITE}/pack/heavy.so.xz"]
    assert isinstance(again, File)
    assert read(again) == (site / "pack" / "heavy.so.xz").read_bytes()


LIBRARY = "const unsigned char ballast[300000] = {5}; int weight(void) { return ballast[0]; }"
USER = """
#include <Python.h>
int weight(void);
static PyObject *ask(PyObject *self, PyObject *args) { return PyLong_FromLong(weight()); }
static PyMethodDef methods[] = {{"ask", ask, METH_NOARGS, 0}, {0}};
static struct PyModuleDef definition = {PyModuleDef_HEAD_INIT, "user", 0, 0, methods};
PyMODINIT_FUNC PyInit_user(void) { return PyModule_Create(&definition); }
"""


@pytest.fixture
def parts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tree:
    """A module and a large library that it links to, a larger one that the program links to, and that program."""
    import sysconfig  # noqa: PLC0415

    monkeypatch.setattr(compressible, "_LARGE", 200_000)
    include = f"-I{sysconfig.get_paths()['include']}"
    here = (f"-L{tmp_path}", "-s")
    shared = ("-shared", "-fPIC", *here)
    made = {
        **{
            f"{LIB}/lib{name}.so": compile_c(
                LIBRARY.replace("weight", name), tmp_path / f"lib{name}.so", *shared, f"-Wl,-soname,lib{name}.so"
            )
            for name in ("weight", "start")
        },
        f"{LIB}/lib-dynload/user.so": compile_c(
            USER, tmp_path / "user.so", "-shared", "-fPIC", include, *here, "-lweight"
        ),
        "/bin/program": compile_c(
            "int start(void); int main(void) { return start(); }", tmp_path / "program", *here, "-lstart"
        ),
    }
    return Tree({path: File(OnDisk(file, file.stat().st_size), 0o755) for path, file in made.items()})


def part(*needed: str) -> CompressedPart:
    return CompressedPart(f"{LIB}/site", (f"{LIB}/lib-dynload",), LIBRARY_LOADER, "/bin/program", frozenset(needed))


def test_a_library_that_only_modules_need_is_compressed_and_loaded_before_them(
    parts: Tree, workspace: Workspace, tmp_path: Path
) -> None:
    made = parts | compressed(part(), workspace)
    assert f"{LIB}/libweight.so.xz" in made
    assert f"{LIB}/libstart.so" in made
    assert [(each.path, each.why) for each in made.decisions] == [(f"{LIB}/libstart.so", "the program links to it")]
    for path, file in made.files():
        target = tmp_path / "image" / path.removeprefix(f"{LIB}/").removeprefix("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(file))
    image = tmp_path / "image"
    done = ask(
        image / "site", f"import sys; sys.path.append({str(image / 'lib-dynload')!r})\nimport user\nprint(user.ask())"
    )
    assert done.stdout == "5\n", done.stderr


def test_a_library_that_others_need_stays_as_it_is(parts: Tree, workspace: Workspace) -> None:
    made = parts | compressed(part("libweight.so"), workspace)
    assert made.entries == parts.entries
    assert made.decisions[1].why == "another part of the image needs it"
    other = Tree({"/bin/other": parts.entries[f"{LIB}/lib-dynload/user.so"]})
    made = (parts + other) | compressed(part(), workspace)
    assert made.entries.keys() == (parts + other).entries.keys()
    assert made.decisions[1].why == "other links to it, which no import loads"


def test_what_unpacking_imports_is_read_from_what_goes_in(workspace: Workspace) -> None:
    host = host_of(describe(Path(sys.executable), workspace), workspace)
    assert {"lzma", "threading", "importlib.util"} <= set(imports_of_payload(host)) <= sys.stdlib_module_names | {
        "importlib.machinery", "importlib.util",
    }  # fmt: skip

"""Modules in an archive behave as modules in files do."""

from __future__ import annotations

import subprocess
import sys
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline
from cannery.image.tree import Decision, File, Tree
from cannery.python.interpreter import describe
from cannery.python.stdlib import interpreter_tree
from cannery.trees.transforms.bytecode import bytecode
from cannery.trees.transforms.zipped import FINDER, with_finder, zipped_dependencies, zipped_library
from tests.support.tree_contents import read

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

FILES = {
    "alone.py": "where = __file__",
    "pure/__init__.py": "from pure import deep",
    "pure/deep/__init__.py": "from . import leaf",
    "pure/deep/leaf.py": "def fail():\n    raise ValueError('here')",
    "pure/deep/usercustomize.py": "",
    "data/__init__.py": "import pkgutil\ntext = open(__file__.rpartition('/')[0] + '/words.txt').read()",
    "data/words.txt": "some words",
    "space/inner.py": "value = 7",
    "finding/__init__.py": "import pkgutil\nnames = sorted(m.name for m in pkgutil.iter_modules(__path__))",
    "finding/one.py": "",
    "finding/two/__init__.py": "",
    "listing/__init__.py": "import os\nnames = os.listdir(os.path.dirname(__file__))",
    "listing/one.py": "",
}


@pytest.fixture
def site(workspace: Workspace, tmp_path: Path) -> Path:
    """A folder of packages as an image has it."""
    python = describe(Path(sys.executable), workspace)
    folder = python.image_site_packages
    sources = Tree({f"{folder}/{name}": File(Inline(text.encode())) for name, text in FILES.items()})
    tree = sources | with_finder(python) | zipped_dependencies(python, bytecode(python, workspace))
    for path, file in tree.files():
        target = tmp_path / "site" / path.removeprefix(f"{folder}/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(file))
    for path, _ in tree:
        if path.startswith(f"{folder}/") and "." not in path.rpartition("/")[2]:
            (tmp_path / "site" / path.removeprefix(f"{folder}/")).mkdir(parents=True, exist_ok=True)
    return tmp_path / "site"


def ask(site: Path, program: str, before: str = "") -> str:
    """What ``program`` prints, with the site's .pth files read as Python reads them, after ``before``."""
    start = f"{before}\nimport site; site.addsitedir({str(site)!r})\n{program}"
    done = subprocess.run([sys.executable, "-I", "-c", start], capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.strip()


def test_all_but_what_lists_its_own_folder_lies_in_the_archive(site: Path) -> None:
    names = set(zipfile.ZipFile(site / "packages.zip").namelist())
    assert names == {
        "alone.pyc", "pure/__init__.pyc", "pure/deep/__init__.pyc", "pure/deep/leaf.pyc", "data/__init__.pyc",
        "space/inner.pyc", "finding/__init__.pyc", "finding/one.pyc", "finding/two/__init__.pyc",
    }  # fmt: skip
    assert (site / "listing" / "one.pyc").is_file()


def test_what_each_python_loads_from_a_folder_on_its_path_is_a_file_there(site: Path) -> None:
    """What lies in the archive is found there too, though Python has looked there before it had the finder."""
    assert (site / "pure" / "deep" / "usercustomize.pyc").is_file()
    looked = f"import importlib.util, sys; sys.path.insert(0, '{site}/pure/deep'); importlib.util.find_spec('nothing')"
    assert ask(site, "import usercustomize, pure.deep.leaf; print(usercustomize.__file__)", looked).startswith(
        str(site)
    )


def test_what_stays_files_is_told_once_for_each_package(workspace: Workspace) -> None:
    python = describe(Path(sys.executable), workspace)
    folder = python.image_site_packages
    sources = Tree({f"{folder}/{name}": File(Inline(text.encode())) for name, text in FILES.items()})
    made = sources | with_finder(python) | zipped_dependencies(python, bytecode(python, workspace))
    size = sum(file.content.size for path, file in made.files() if path.startswith(f"{folder}/listing/"))
    why = f"{folder}/listing/__init__.py may look for modules in the folder it lies in"
    assert made.decisions == (Decision(f"{folder}/listing/__init__.pyc", "put bytecode into an archive", why, size),)


def test_packages_of_the_library_with_other_files_stay_and_it_is_told(workspace: Workspace) -> None:
    python = describe(Path(sys.executable), workspace)
    library, others = (
        python.image_stdlib,
        python.image_site_packages,
    )  # Debian's, below another folder, is no part of it
    names = ["pack/__init__.pyc", "pack/data.txt", "pack/part.pyc", "alone.pyc", "pure/__init__.pyc"]
    paths = [f"{library}/{name}" for name in names] + [f"{others}/other.pyc", f"{others}/other.pth"]
    made = Tree({path: File(Inline(b"1234")) for path in paths}) | zipped_library(python)
    assert {path for path in made.entries if path.endswith(".pyc")} == {
        *(f"{library}/{name}" for name in ("pack/__init__.pyc", "pack/part.pyc", "os.pyc")),
        f"{others}/other.pyc",
    }
    (decision,) = made.decisions
    assert (decision.path, decision.size) == (f"{library}/pack/__init__.pyc", 8)
    assert decision.why == f"its package has other files, such as {library}/pack/data.txt"


@pytest.mark.parametrize(
    ("program", "printed"),
    [
        ("import pure; print(pure.deep.leaf.__name__)", "pure.deep.leaf"),
        ("import data; print(data.text)", "some words"),
        (
            "from importlib import resources; print(resources.files('data').joinpath('words.txt').read_text())",
            "some words",
        ),
        ("import pkgutil; print(pkgutil.get_data('data', 'words.txt').decode())", "some words"),
        ("import space.inner; print(space.inner.value)", "7"),
        ("import finding; print(finding.names)", "['one', 'two']"),
        ("import listing; print('one.pyc' in listing.names)", "True"),
        ("import importlib.util; print(importlib.util.find_spec('pure.nothing'))", "None"),
        ("import importlib, alone; print(importlib.reload(alone) is alone)", "True"),
    ],
)
def test_programs_find_what_they_find_in_files(site: Path, program: str, printed: str) -> None:
    assert ask(site, program) == printed


def test_a_module_says_that_it_lies_where_it_would_without_the_archive(site: Path) -> None:
    assert ask(site, "import alone; print(alone.where)") == f"{site}/alone.pyc"
    assert ask(site, "import pure; print(*pure.__path__)") == f"{site}/pure"


def test_a_traceback_shows_where_it_happened(site: Path) -> None:
    program = "import pure, traceback\ntry: pure.deep.leaf.fail()\nexcept ValueError: print(traceback.format_exc())"
    assert '-packages/pure/deep/leaf.py", line 2, in fail' in ask(site, program)


def test_the_archive_is_the_same_for_the_same_modules(site: Path, workspace: Workspace) -> None:
    python = describe(Path(sys.executable), workspace)
    folder = python.image_site_packages
    sources = Tree({f"{folder}/{name}": File(Inline(text.encode())) for name, text in reversed(FILES.items())})
    tree = sources | with_finder(python) | zipped_dependencies(python, bytecode(python, workspace))
    archive = tree.entries[f"{folder}/packages.zip"]
    assert isinstance(archive, File)
    assert read(archive) == (site / "packages.zip").read_bytes()
    assert f"{folder}/{FINDER}.pyc" in tree


STARTS_WITH = {
    "encodings",
    "codecs",
    "io",
    "abc",
    "os",
    "stat",
    "posixpath",
    "genericpath",
    "_collections_abc",
    "_sitebuiltins",
    "site",
    "importlib",
    "zipimport",
    "warnings",
    "types",
    "runpy",
    "pkgutil",
    "contextlib",
    "collections",
    "functools",
    "operator",
    "keyword",
    "reprlib",
    "heapq",
    "weakref",
    "_weakrefset",
    "copyreg",
    "lib-dynload",
}


@pytest.mark.slow
@pytest.mark.parametrize("frozen", ["on", "off"])
def test_the_interpreter_starts_with_its_library_in_an_archive(
    workspace: Workspace, tmp_path: Path, frozen: str
) -> None:
    python = describe(Path(sys.executable), workspace)
    folder = f"{python.image_stdlib}/"
    library = interpreter_tree(python, frozenset()).filter(
        lambda path, _: path.removeprefix(folder).partition("/")[0].partition(".")[0] in STARTS_WITH
    )
    tree = library | bytecode(python, workspace) | zipped_library(python)
    for path, file in tree.files():
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(read(file))
    program = (
        "import importlib._bootstrap as a, importlib._bootstrap_external as b, zipimport as c, os, sys, codecs\n"
        "print([m.__name__ for m in (a, b, c)], os.getpid() > 0, codecs.__spec__.origin)"
    )
    script = tmp_path / "program.py"  # -c asks for more of the library, since 3.13
    script.write_text(program, encoding="utf-8")
    done = subprocess.run(
        [str(python.executable), "-X", f"frozen_modules={frozen}", str(script)],
        env={"PYTHONHOME": str(tmp_path / "usr" / "local"), "LD_LIBRARY_PATH": f"{sys.base_prefix}/lib"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("['importlib._bootstrap', 'importlib._bootstrap_external', 'zipimport'] True ")
    assert (".zip/codecs.pyc" in done.stdout) is (frozen == "off")

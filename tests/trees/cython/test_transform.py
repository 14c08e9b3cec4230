"""Extension modules: imported as the sources were, with no source, from any folder the same."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import ConfigurationError, ProjectError
from cannery.image.content import Inline
from cannery.image.tree import File, Symlink, Tree
from cannery.project.settings import CythonSettings
from cannery.python.abi import abi_of
from cannery.python.interpreter import describe
from cannery.trees.cython.extensions import compiler_for
from cannery.trees.cython.transform import cython
from cannery.trees.transforms.bytecode import bytecode
from cannery.workspace.cache import Cache
from cannery.workspace.process import Completed, run
from cannery.workspace.workspace import Workspace
from tests.support.tree_contents import contents

if TYPE_CHECKING:
    from cannery.image.tree import Transform

pytestmark = pytest.mark.slow

ROOTS = ("/app",)
PACKAGE = {
    "pkg/__init__.py": "from .model import Point\n",
    "pkg/__main__.py": "from . import deep\nfrom .deep import leaf\nif __name__ == '__main__':\n    print(leaf.HERE)\n",
    "pkg/model.py": """
from dataclasses import dataclass

@dataclass
class Point:
    x: int = 0

def shout(word: str = None) -> int:
    "Says it."
    return word
""",
    "pkg/deep/__init__.py": "",
    "pkg/deep/leaf.py": "from ..model import Point\nHERE = (__name__, __package__, Point(3))\n",
    "pkg/data.json": "{}",
    "space/part.py": "NAME = __name__\n",
    "pkg/kept.py": "def f():\n    return 1\n",
    "main.py": """
import multiprocessing, os, pickle, sys
import pkg.deep.leaf, space.part
class Own: ...
def work(number): return number + 1
def main():
    import main
    assert main.Own is Own and sys.modules["__main__"] is main
    assert type(pickle.loads(pickle.dumps(Own()))) is Own
    with multiprocessing.get_context("spawn").Pool(1) as pool:
        print(pkg.deep.leaf.HERE, space.part.NAME, pool.map(work, [1]), os.path.basename(__file__), Own.__module__)
if __name__ == "__main__":
    main()
""",
}


def sources(files: dict[str, str]) -> Tree:
    return Tree({f"/app/{name}": File(Inline(text.encode())) for name, text in files.items()})


def transform(workspace: Workspace, settings: CythonSettings | None = None, *scripts: str) -> Transform:
    settings = settings or CythonSettings()
    abi = abi_of(describe(Path(sys.executable), workspace), workspace)
    compiler = compiler_for(abi, settings, workspace)
    return cython(compiler, workspace, import_roots=ROOTS, scripts=frozenset(scripts), exclude=settings.exclude)


def refused(files: dict[str, str], workspace: Workspace, settings: CythonSettings | None = None) -> ProjectError:
    with pytest.raises(ProjectError) as raised:
        transform(workspace, settings)(sources(files))
    return raised.value


def write(tree: Tree, folder: Path) -> Path:
    for path, content in contents(tree).items():
        target = folder / path.removeprefix("/app/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)
    return folder


def python(folder: Path, *arguments: str) -> str:
    done = subprocess.run([sys.executable, *arguments], cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """A workspace whose cache the tests of this module share."""
    return Workspace(Cache(tmp_path_factory.mktemp("cython") / "cache"), run)


@pytest.fixture(scope="module")
def compiled(shared: Workspace) -> Tree:
    """The package as a recipe has it: extension modules, and bytecode for the rest."""
    settings = CythonSettings(exclude=("pkg.kept",))
    made = transform(shared, settings, "/app/main.py")(sources(PACKAGE))
    return made | bytecode(describe(Path(sys.executable), shared), shared, import_roots=ROOTS)


@pytest.fixture(scope="module")
def folder(compiled: Tree, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write(compiled, tmp_path_factory.mktemp("compiled"))


def test_each_module_is_replaced_and_data_and_excluded_modules_come_along(compiled: Tree) -> None:
    kinds = {
        path.removeprefix("/app/").replace(f"cpython-3{sys.version_info.minor}", "cpython") for path, _ in compiled
    }
    suffix = ".cpython-x86_64-linux-gnu.so"
    modules = ("pkg/__init__", "pkg/model", "pkg/deep/__init__", "pkg/deep/leaf", "space/part")
    scripts = ("main", "pkg/__main__")
    assert kinds == {
        *(f"{name}{suffix}" for name in modules),
        *(f"{name}.script{suffix}" for name in scripts),
        *(f"{name}.pyc" for name in scripts),
        "pkg/kept.pyc",
        "pkg/data.json",
    }


def test_a_package_runs_by_its_name(folder: Path) -> None:
    assert python(folder, "-W", "error", "-m", "pkg") == "('pkg.deep.leaf', 'pkg.deep', Point(x=3))\n"


def test_a_script_runs_as_itself_and_so_do_its_worker_processes(folder: Path) -> None:
    said = python(folder, "-W", "error", "main.pyc")
    assert said == "('pkg.deep.leaf', 'pkg.deep', Point(x=3)) space.part [2] main.pyc __main__\n"


AS_ANYIO_DOES = """
import sys
from importlib.util import module_from_spec, spec_from_file_location
sys.path[0] = {folder!r}
del sys.modules["__main__"]
spec = spec_from_file_location("__mp_main__", {folder!r} + "/main.pyc")
main = module_from_spec(spec)
spec.loader.exec_module(main)
sys.modules["__main__"] = main
print(main.work(1), main.work.__module__)
"""


def test_a_script_is_imported_where_there_is_no_main_module(folder: Path) -> None:
    assert python(folder, "-c", AS_ANYIO_DOES.format(folder=str(folder))) == "2 __main__\n"


def test_a_script_can_be_imported(folder: Path) -> None:
    assert python(folder, "-c", "import main; print(main.__name__, main.work(1))") == "main 2\n"


def test_annotations_check_nothing(folder: Path) -> None:
    assert (
        python(folder, "-c", "from pkg.model import shout; print(shout(3), shout(), shout.__doc__)")
        == "3 None Says it.\n"
    )


def test_names_are_looked_up_when_they_are_met(shared: Workspace, tmp_path: Path) -> None:
    source = """
def f(): return unknown
def h():
    del x
    return x
    x = 1
"""
    write(transform(shared)(sources({"x.py": source})), tmp_path)
    check = """
import pytest, x
pytest.raises(NameError, x.f)
pytest.raises(UnboundLocalError, x.h)
"""
    python(tmp_path, "-c", check)


def test_methods_of_builtin_types_can_be_called(shared: Workspace, tmp_path: Path) -> None:
    source = """
def f(name): return f"hello {name}".upper(), {"a": name}.pop("a"), [*{"b": 1}.items()]
"""
    write(transform(shared)(sources({"x.py": source})), tmp_path)
    assert python(tmp_path, "-c", "import x; print(x.f('you'))") == "('HELLO YOU', 'you', [('b', 1)])\n"


def test_modules_are_small_and_name_no_folder_of_this_machine(compiled: Tree, shared: Workspace) -> None:
    modules = {path: content for path, content in contents(compiled).items() if path.endswith(".so")}
    assert max(map(len, modules.values())) <= 75_000
    for content in modules.values():
        assert os.fsencode(shared.cache.root.parent) not in content
        assert b".debug_info" not in content
        assert b".symtab" not in content


@pytest.mark.once
def test_the_bytes_are_the_same_from_another_folder_in_another_order(compiled: Tree, tmp_path: Path) -> None:
    elsewhere = Workspace(Cache(tmp_path / "a longer name" / "cache"), run)
    some = {name: PACKAGE[name] for name in ("pkg/deep/leaf.py", "pkg/model.py", "main.py")}
    made = contents(transform(elsewhere, None, "/app/main.py")(sources(some)))
    assert {path: content for path, content in contents(compiled).items() if path in made} == {
        path: content for path, content in made.items() if path.endswith(".so")
    }


def test_the_bytes_are_the_same_where_the_project_is_installed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {"pkg/__init__.py": '"""A package."""\n'}
    plain = transform(Workspace(Cache(tmp_path / "one")))(sources(files))
    for name, text in files.items():
        (tmp_path / "installed" / name).parent.mkdir(parents=True)
        (tmp_path / "installed" / name).write_text(text)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path / "installed"))
    installed = transform(Workspace(Cache(tmp_path / "other")))(sources(files))
    assert contents(installed) == contents(plain)


@pytest.mark.once
def test_only_what_changed_is_compiled(shared: Workspace) -> None:
    said: list[str] = []

    def note(title: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001  # as Progress is called
        said.append(title)

    watched = replace(shared, progress=note)
    for text in ("a = 1", "a = 1", "a = 2"):
        transform(watched)(sources({"x.py": text, "y.py": "b = 1"}))
    assert said == ["compiling 2 modules with Cython", "compiling 1 module with Cython"]


def test_links_lead_to_what_their_targets_became(shared: Workspace) -> None:
    tree = sources({"x.py": "a = 1"}) + Tree({"/app/y": Symlink("x.py")})
    made = transform(shared)(tree)
    target = made.entries["/app/y"]
    assert isinstance(target, Symlink)
    assert f"/app/{target.target}" in made


def test_a_name_that_nobody_can_import_stays_as_it_is(shared: Workspace) -> None:
    assert set(transform(shared)(sources({"do-it.py": "a = 1"})).entries) == {"/app/do-it.py"}


@pytest.mark.once
def test_all_that_cython_refuses_is_said_with_file_and_line(shared: Workspace) -> None:
    error = refused({"x.py": "a = 1\nasync def f():\n    yield from []\n", "y.py": "nonlocal a\n", "z.py": ""}, shared)
    assert error.what == "Cython refuses 2 modules"
    assert "x.py:3: " in error.evidence
    assert "y.py:1: " in error.evidence
    assert 'exclude = ["x", "y"]' in error.step


@pytest.mark.once
def test_what_was_compiled_is_kept_even_where_another_module_is_refused(shared: Workspace) -> None:
    said: list[str] = []

    def note(title: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001  # as Progress is called
        said.append(title)

    watched = replace(shared, progress=note)
    files = {"kept_one.py": "a = 1\n", "refused.py": "async def f():\n    yield from []\n"}
    for _ in range(2):
        refused(files, watched)
    assert said == ["compiling 2 modules with Cython", "compiling 1 module with Cython"]


@pytest.mark.once
def test_what_was_compiled_is_kept_when_somebody_interrupts(shared: Workspace) -> None:
    def interrupted(*arguments: Any, **options: Any) -> Completed:
        run(*arguments, **options)
        raise KeyboardInterrupt

    tree = sources({"late.py": "a = 1\n"})
    transform(shared)  # the interpreter is asked what it is
    with pytest.raises(KeyboardInterrupt):
        transform(replace(shared, run=interrupted))(tree)
    assert transform(replace(shared, run=interrupted))(tree)


@pytest.mark.once
def test_two_modules_of_one_name_are_refused(shared: Workspace) -> None:
    error = refused({"x.py": "", "x/__init__.py": ""}, shared)
    assert error.what.startswith("two modules are called 'x'")
    assert error.evidence == "x.py\nx/__init__.py"


@pytest.mark.once
def test_an_extension_module_beside_its_source_is_refused(shared: Workspace) -> None:
    error = refused({"pkg/x.py": "", "pkg/x.cpython-39-darwin.so": ""}, shared)
    assert error.what == "pkg/x.cpython-39-darwin.so lies beside its source x.py"


@pytest.mark.once
@pytest.mark.parametrize(
    ("directives", "said"),
    [
        ({"boundschek": False}, "boundschek is unknown"),
        ({"boundscheck": "perhaps"}, "boundscheck directive must be set to True or False"),
    ],
)
def test_wrong_directives_are_refused(shared: Workspace, directives: dict[str, bool | int | str], said: str) -> None:
    with pytest.raises(ConfigurationError, match=said):
        transform(shared, CythonSettings(directives=directives))(sources({"unseen.py": "a = 1"}))


@pytest.mark.once
def test_directives_reach_the_modules(shared: Workspace, tmp_path: Path) -> None:
    settings = CythonSettings(directives={"embedsignature": True})
    write(transform(shared, settings)(sources({"x.py": "def f(a, b=2):\n    'Doc.'\n"})), tmp_path)
    assert python(tmp_path, "-c", "import x; print(x.f.__doc__)") == "f(a, b=2)\n\nDoc.\n"

"""Bytecode: no source, no stale times, the same bytes from anywhere."""

from __future__ import annotations

import marshal
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.errors import ProjectError
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, Tree
from cannery.python.interpreter import describe
from cannery.python.line_table import line_table, lines_of
from cannery.python.marshal import Field, UnknownFormatError, tokens_of
from cannery.python.stdlib import interpreter_tree
from cannery.trees.transforms.bytecode import bytecode
from cannery.workspace.cache import Cache
from tests.support.tree_contents import contents

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace


@pytest.fixture
def python(workspace: Workspace) -> Interpreter:
    return describe(Path(sys.executable), workspace)


def sources(**modules: str) -> Tree:
    return Tree({f"/app/{name}.py": File(Inline(text.encode())) for name, text in modules.items()})


def write(tree: Tree, folder: Path) -> None:
    for path, content in contents(tree).items():
        target = folder / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content)


def test_sources_are_replaced_and_other_files_stay(python: Interpreter, workspace: Workspace) -> None:
    tree = sources(x="a = 1") + Tree({"/app/data.txt": File(Inline(b"text"))})
    assert set((tree | bytecode(python, workspace)).entries) == {"/app/x.pyc", "/app/data.txt"}


def test_bytecode_runs_without_its_source_and_names_it_in_tracebacks(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    tree = sources(main="import x\nx.fail()\n", x="def fail():\n    raise ValueError('no')\n")
    write(tree | bytecode(python, workspace), tmp_path)
    done = subprocess.run([sys.executable, "app/main.pyc"], cwd=tmp_path, capture_output=True, text=True, check=False)
    assert 'File "/app/x.py", line 2, in fail\nValueError: no' in done.stderr


def test_without_positions_it_is_smaller_and_names_the_same_lines_but_for_sources_that_are_kept(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    failing = "def fail(a):\n    return [each.no for each in a] + [a.one(2).two(three=4)]\nfail([1])\n"
    tree = sources(x=failing, y=failing)
    made = {positions: tree | bytecode(python, workspace, positions=positions) for positions in (True, False)}
    sizes = {positions: sum(map(len, contents(made[positions]).values())) for positions in made}
    assert sizes[False] < sizes[True]
    kept = tree | bytecode(python, workspace, positions=False, keep_sources=("y",), import_roots=("/app",))
    write(kept, tmp_path)
    shown = {
        name: subprocess.run(
            [sys.executable, "-c", f"import {name}"], cwd=tmp_path / "app", capture_output=True, text=True, check=False
        ).stderr
        for name in ("x", "y")
    }
    assert 'x.py", line 2, in fail' in shown["x"]
    (bytecode_of_x,) = (content for path, content in contents(made[False]).items() if "/x." in path and path[-1] == "c")
    tables = [token.content for token in tokens_of(bytecode_of_x[16:]) if token.field is Field.LINES]
    assert tables == [line_table(lines_of(table) or ()) for table in tables], "one entry for instructions of one line"
    assert "^^^^^^^" in shown["y"]


def test_the_headers_say_hash_based_and_unchecked(python: Interpreter, workspace: Workspace) -> None:
    (content,) = contents(sources(x="a = 1") | bytecode(python, workspace)).values()
    assert int.from_bytes(content[4:8], "little") == 0b01


@pytest.mark.slow
def test_every_order_and_neighbourhood_gives_the_same_bytes(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    """The standard library at once, and a few modules alone: marshal's flags depend on what came before."""
    library = interpreter_tree(python, frozenset())
    whole = contents(library.filter(lambda path, _: path.endswith(".py")) | bytecode(python, workspace))
    other = replace(workspace, cache=Cache(tmp_path / "other"))
    for name in ("os", "typing", "decimal", "dataclasses", "argparse"):
        alone = library.filter(lambda path, _, name=name: path.endswith(f"/{name}.py"))  # type: ignore[misc]
        for path, content in contents(alone | bytecode(python, other)).items():
            assert content == whole[path]


def test_the_caller_s_own_settings_do_not_reach_the_bytes(
    python: Interpreter, workspace: Workspace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tree = sources(x="y = x in {'a', 'b', 'c', 'dd', 'ee'}\nassert y\ns = '\\d'\n")
    before = contents(tree | bytecode(python, workspace))
    own = {"HASHSEED": "7", "OPTIMIZE": "2", "WARNINGS": "error", "NODEBUGRANGES": "1", "DEVMODE": "1"}
    for name, value in own.items():
        monkeypatch.setenv(f"PYTHON{name}", value)
    other = replace(workspace, cache=Cache(tmp_path / "other"))
    assert contents(tree | bytecode(python, other)) == before


def test_optimising_drops_assertions_and_docstrings(python: Interpreter, workspace: Workspace) -> None:
    tree = sources(x="def f():\n    'remember me'\n    assert f, 'forget me not'\n")
    found = [b"".join(contents(tree | bytecode(python, workspace, optimize=level)).values()) for level in range(3)]
    assert [b"forget me not" in each for each in found] == [True, False, False]
    assert [b"remember me" in each for each in found] == [True, True, False]


def test_kept_sources_stay_beside_bytecode_that_python_uses(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    tree = sources(x="import inspect\ndef f(): ...\nprint(inspect.getsource(f))\n", y="")
    kept = tree | bytecode(python, workspace, keep_sources=("x",), import_roots=("/app",))
    assert set(kept.entries) == {"/app/x.py", f"/app/__pycache__/x.{python.cache_tag}.pyc", "/app/y.pyc"}
    write(kept, tmp_path)
    command = [sys.executable, "-v", "-c", "import x"]
    done = subprocess.run(command, cwd=tmp_path / "app", capture_output=True, text=True, check=True)
    assert "def f(): ..." in done.stdout
    assert f"x.{python.cache_tag}.pyc matches" in done.stderr


@pytest.mark.parametrize(
    ("pattern", "kept"),
    [
        ("app", set()),  # the folder's name is no module's
        ("pkg", {"/app/pkg/__init__.py", "/app/pkg/rules.py"}),
        ("pkg.rules", {"/app/pkg/rules.py"}),
        ("wheel", {"/site/wheel/x.py"}),
        ("whee*", {"/site/wheel/x.py"}),
    ],
)
def test_sources_are_kept_by_the_names_that_imports_use(
    python: Interpreter, workspace: Workspace, pattern: str, kept: set[str]
) -> None:
    paths = ("/app/main.py", "/app/pkg/__init__.py", "/app/pkg/rules.py", "/site/wheel/x.py")
    tree = Tree({path: File(Inline(b"a = 1")) for path in paths})
    made = tree | bytecode(python, workspace, keep_sources=(pattern,), import_roots=("/app", "/site"))
    assert {path for path in made.entries if path.endswith(".py")} == kept


def test_what_is_no_python_stays_as_it_is_or_is_refused(python: Interpreter, workspace: Workspace) -> None:
    tree = sources(good="a = 1", template="{{ name }} = = 1")
    made = tree | bytecode(python, workspace)
    assert set(made.entries) == {"/app/good.pyc", "/app/template.py"}
    (decision,) = made.decisions
    assert (decision.path, decision.tried, decision.size) == ("/app/template.py", "make bytecode", 16)
    assert decision.why.startswith(f"it is no Python {python.version_text}: line 1: ")
    with pytest.raises(ProjectError, match=r"/app/template\.py is no Python") as raised:
        tree | bytecode(python, workspace, strict=True)  # type: ignore[unused-ignore]
    assert raised.value.evidence.startswith("line 1: ")


def test_bytecode_of_an_unknown_form_is_not_shortened_and_told(
    python: Interpreter, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    def tokens(_: bytes) -> None:
        raise UnknownFormatError("an object of the kind 0x7f")

    monkeypatch.setattr("cannery.python.marshal.tokens_of", tokens)
    tree = sources(x="a = 1", kept="b = 2")  # bytecode beside its source is not shortened anyway
    made = tree | bytecode(python, workspace, positions=False, keep_sources=("kept",), import_roots=("/app",))
    (decision,) = made.decisions
    assert decision.path in made.entries
    assert (decision.path, decision.tried) == ("/app/x.pyc", "shorten")
    assert decision.why == "its bytecode is of no known form: an object of the kind 0x7f"


def test_only_what_changed_is_compiled(python: Interpreter, workspace: Workspace) -> None:
    said: list[str] = []

    def note(title: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001  # as Progress is called
        said.append(title)

    watched = replace(workspace, progress=note)
    for text in ("a = 1", "a = 1", "a = 2"):
        sources(x=text, y="b = 1") | bytecode(python, watched)  # type: ignore[unused-ignore]
    assert said == ["making bytecode of 2 modules", "making bytecode of 1 module"]


def test_an_executable_source_s_bytecode_is_a_plain_file(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "x.py").write_text("#!/usr/bin/env python\n")
    tree = Tree({"/app/x.py": File(OnDisk(tmp_path / "x.py", 22), 0o755)})
    ((_, file),) = (tree | bytecode(python, workspace)).files()
    assert file.mode == 0o644


def test_a_script_is_known_by_the_path_of_what_is_run(python: Interpreter, workspace: Workspace) -> None:
    made = sources(main="a = 1", other="a = 1") | bytecode(python, workspace, scripts=frozenset({"/app/main.py"}))
    told = {path: marshal.loads(data[16:]).co_filename for path, data in contents(made).items()}  # noqa: S302  # our own
    assert told == {"/app/main.pyc": "/app/main.pyc", "/app/other.pyc": "/app/other.py"}


def test_a_source_that_another_one_names_stays_and_a_script_among_them_has_bytecode_of_its_own(
    python: Interpreter, workspace: Workspace
) -> None:
    tree = sources(
        main='exec(open(here / "config.py").read()), "/__init__.py"', config="a = 1", other="import config"
    ) + Tree({"/app/__init__.py": File(Inline(b'run([python, "main.py"])'))})
    made = tree | bytecode(python, workspace, scripts=frozenset({"/app/main.py"}))
    tag = python.cache_tag
    assert made.entries.keys() == {
        "/app/__init__.pyc", "/app/other.pyc", "/app/config.py", f"/app/__pycache__/config.{tag}.pyc",
        "/app/main.py", f"/app/__pycache__/main.{tag}.pyc", "/app/main.pyc",
    }  # fmt: skip
    assert {each.path for each in made.decisions} == {"/app/config.py", "/app/main.py"}
    read = sources(app="") | bytecode(python, workspace, read=frozenset({"/app/app.py", "/app/other.py"}))
    assert "/app/app.py" in read
    dropped = tree | bytecode(python, workspace, drop_sources=("config",), import_roots=("/app",))
    assert "/app/config.pyc" in dropped


def test_the_standard_library_s_sources_go_whatever_names_them(python: Interpreter, workspace: Workspace) -> None:
    stdlib = python.image_stdlib
    tree = Tree({f"{stdlib}/a.py": File(Inline(b'"b.py"')), f"{stdlib}/b.py": File(Inline(b""))})
    assert (tree | bytecode(python, workspace)).entries.keys() == {f"{stdlib}/a.pyc", f"{stdlib}/b.pyc"}

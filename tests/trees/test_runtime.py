"""The runtime: what's needed is there, what isn't stays behind."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from cannery.errors import ConfigurationError
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.app import app_tree
from cannery.trees.needs import Needs, needs_of_app, read_needs
from cannery.trees.runtime import runtime, with_opened
from tests.support.tree_contents import contents, read

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject


@pytest.fixture
def python(workspace: Workspace) -> Interpreter:
    return describe(Path(sys.executable), workspace)


NOTHING = Needs()


def runtime_for(folder: Path, python: Interpreter, workspace: Workspace, needs: Needs = NOTHING) -> LazyTree:
    app = load(folder)
    own = app_tree(app, workspace)
    return runtime(app, python, needs + needs_of_app(own.native, own.imports), workspace)


def modules(tree: LazyTree, python: Interpreter) -> set[str]:
    prefix = f"{python.image_stdlib}/"
    return {path.removeprefix(prefix).split("/")[0] for path in tree.tree.entries if path.startswith(prefix)}


def test_it_holds_the_interpreter_and_the_small_files(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    tree = runtime_for(make_project({"main.py": ""}), python, workspace).tree
    assert f"/usr/local/bin/{python.name}" in tree
    assert f"{python.image_stdlib}/os.py" in tree
    assert f"{python.image_stdlib}/lib-dynload" in tree
    assert {"/etc/passwd", "/etc/nsswitch.conf", "/tmp", "/etc/ssl/certs/ca-certificates.crt"} <= set(tree.entries)


def test_services_and_protocols_have_their_names(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    tree = runtime_for(make_project({"main.py": ""}), python, workspace).tree
    assert re.search(rb"^https +443/tcp$", contents(tree)["/etc/services"], re.MULTILINE)
    assert re.search(rb"^tcp +6 +TCP$", contents(tree)["/etc/protocols"], re.MULTILINE)


def test_terminals_are_described_where_curses_goes_in(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    described = "/usr/share/terminfo/x/xterm"
    assert described not in runtime_for(make_project({"main.py": ""}), python, workspace).tree
    if not any(Path(folder, "x/xterm").exists() for folder in ("/lib/terminfo", "/usr/share/terminfo")):
        pytest.skip("this machine has no descriptions of terminals")
    assert described in runtime_for(make_project({"main.py": "import curses"}), python, workspace).tree


def test_what_nobody_imports_stays_behind(make_project: MakeProject, python: Interpreter, workspace: Workspace) -> None:
    names = modules(runtime_for(make_project({"main.py": "import json"}), python, workspace), python)
    assert "json" in names
    assert not names & {"test", "tkinter", "idlelib", "turtledemo", "ensurepip", "curses", "site-packages"}


@pytest.mark.parametrize(
    ("settings", "source"), [("", "import curses, venv"), ('[tool.cannery]\nstdlib = ["curses", "venv"]\n', "")]
)
def test_what_the_app_imports_or_the_configuration_names_comes_back(
    make_project: MakeProject, python: Interpreter, workspace: Workspace, settings: str, source: str
) -> None:
    folder = make_project({"main.py": source, "pyproject.toml": settings})
    assert {"curses", "venv"} <= modules(runtime_for(folder, python, workspace), python)


def test_a_dependency_brings_back_curses_but_not_tkinter(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    source = b"try:\n    import curses\n    import tkinter\nexcept ImportError: ...\n"
    wheels = LazyTree("wheels", lambda: Tree({"/site-packages/x.py": File(Inline(source))}))
    needs = read_needs(wheels, workspace)
    names = modules(runtime_for(make_project({"main.py": ""}), python, workspace, needs), python)
    assert "curses" in names
    assert "tkinter" not in names


def has_zones(tree: LazyTree) -> bool:
    return "/usr/share/zoneinfo/UTC" in tree.tree


def test_time_zones_go_in_when_they_are_used(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    assert not has_zones(runtime_for(make_project({"main.py": "import datetime"}, "one"), python, workspace))
    tree = runtime_for(make_project({"main.py": "import zoneinfo"}, "two"), python, workspace)
    assert has_zones(tree)
    assert "/etc/timezone" in tree.tree.entries


def test_time_zones_stay_behind_when_a_wheel_brings_them(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    wheel = Tree({"/s/tzdata/zoneinfo/__init__.py": File(Inline(b""))})
    needs = read_needs(LazyTree("tzdata", lambda: wheel), workspace)
    assert not has_zones(runtime_for(make_project({"main.py": "import zoneinfo"}), python, workspace, needs))


def test_a_change_of_the_app_leaves_the_key_as_it_is(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    before = runtime_for(make_project({"main.py": "import json"}), python, workspace).key
    assert runtime_for(make_project({"main.py": "import csv"}), python, workspace).key == before
    assert runtime_for(make_project({"main.py": "import zoneinfo"}), python, workspace).key != before


def test_the_libraries_follow_what_comes_back_and_goes(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    def libraries(source: str) -> set[str]:
        tree = runtime_for(make_project({"main.py": source}), python, workspace).tree
        return {Path(path).name for path in tree.entries if ".so" in path and "/lib-dynload/" not in path}

    without, there, again = (libraries(source) for source in ("import json", "import curses", "import json"))
    assert without == again
    assert any(name.startswith("libncurses") for name in there - without)


def test_a_library_that_is_opened_by_name_comes_along(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    settings = '[tool.cannery]\nlibraries = ["libncursesw.so.6"]\n'
    tree = runtime_for(make_project({"main.py": "", "pyproject.toml": settings}), python, workspace).tree
    assert {"libncursesw.so.6", "libtinfo.so.6"} <= {Path(path).name for path in tree.entries}


def test_the_locale_that_the_environment_names_is_there(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    tree = runtime_for(make_project({"main.py": ""}), python, workspace).tree
    assert any(path.endswith("/LC_CTYPE") and "/locale/C." in path for path in tree.entries)


def test_the_interpreter_s_settings_name_the_image_s_folders(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    tree = runtime_for(make_project({"main.py": ""}), python, workspace).tree
    settings = [read(file) for path, file in tree.files() if "/_sysconfigdata" in path]
    assert settings
    assert python.prefix == Path("/usr") or not any(str(python.prefix).encode() in each for each in settings)


def test_certificates_are_mozilla_s_unless_the_machine_s_are_asked_for(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    bundles = []
    for settings in ("", '[tool.cannery]\nca-certificates = "system"\n'):
        folder = make_project({"main.py": "", "pyproject.toml": settings})
        bundle = runtime_for(folder, python, workspace).tree.entries["/etc/ssl/certs/ca-certificates.crt"]
        assert isinstance(bundle, File)
        assert isinstance(bundle.content, OnDisk)
        bundles.append(bundle.content.path)
    assert bundles[0] == Path(certifi.where())
    assert bundles[1].is_relative_to("/etc")


def test_the_configured_certificates_go_in(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    begin, end = "-----BEGIN CERTIFICATE-----", "-----END CERTIFICATE-----"
    own = f"{begin}{Path(certifi.where()).read_text().partition(begin)[2].partition(end)[0]}{end}\n"
    files = {"main.py": "", "own.pem": own, "pyproject.toml": '[tool.cannery]\nca-certificates = "own.pem"\n'}
    folder = make_project(files)
    bundle = runtime_for(folder, python, workspace).tree.entries["/etc/ssl/certs/ca-certificates.crt"]
    assert isinstance(bundle, File)
    assert read(bundle) == own.encode()
    for wrong in ("mine", own.replace("M", "N"), own[:-40], f"{begin}\nAAAA\n{end}\n"):
        (folder / "own.pem").write_text(wrong)
        with pytest.raises(ConfigurationError, match="is no bundle of certificates"):
            runtime_for(folder, python, workspace)
    (folder / "own.pem").unlink()
    with pytest.raises(ConfigurationError, match="there is no file"):
        runtime_for(folder, python, workspace)


def test_libraries_that_code_opens_by_name_come_along_where_the_system_has_them(
    make_project: MakeProject, python: Interpreter, workspace: Workspace
) -> None:
    needs = with_opened(Needs(opened=frozenset({"z", "libresolv.so.2", "libabsent.so.1"})), python, workspace)
    tree = runtime_for(make_project({"main.py": ""}), python, workspace, needs).tree
    names = {Path(path).name for path in tree.entries}
    assert {"libz.so.1", "libresolv.so.2"} <= names
    assert "libabsent.so.1" not in names

"""What stands in the way is said before any work starts, in one message, and nothing is left half-written."""

from __future__ import annotations

import json
import sys
from importlib.metadata import PackageNotFoundError
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import RuntimeTreeError, ToolError
from cannery.executable.onefile import tools
from cannery.executable.onefile.bundle import Bundle
from cannery.executable.onefile.python import check_python
from cannery.image.tree import File, LazyTree, Tree
from cannery.python.interpreter import describe
from cannery.recipes import onefile as programs
from cannery.workspace.process import Completed
from cannery.workspace.workspace import Workspace
from tests.executable.onefile.conftest import cannery, freeze, write_project

if TYPE_CHECKING:
    from collections.abc import Sequence

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("own_cache")]


def test_every_tool_that_is_missing_is_named_with_what_installs_it(monkeypatch: pytest.MonkeyPatch) -> None:
    def none(name: str) -> None:
        raise PackageNotFoundError(name)

    monkeypatch.setattr(tools, "distribution", none)
    monkeypatch.setattr("shutil.which", lambda *_, **__: None)
    with pytest.raises(ToolError) as caught:
        tools.find_tools()
    for said in (
        "pyinstaller",
        "staticx",
        "patchelf",
        "objcopy",
        "ldd",
        '[onefile]"',
        "apt-get install",
    ):
        assert said in str(caught.value)
    assert "binutils libc-bin" in str(caught.value)


@pytest.mark.parametrize(
    ("answers", "said"),
    [
        ({"libc": "", "library": ["x"]}, "another C library than glibc"),
        ({"libc": "musl", "library": ["x"]}, "another C library than glibc"),
        ({"libc": "glibc", "library": [], "debian": True}, "apt-get install libpython3"),
        ({"libc": "glibc", "library": [], "debian": False}, "--enable-shared"),
    ],
)
def test_a_python_that_cannot_be_frozen_is_told_from_one_that_can(
    answers: dict[str, Any], said: str, workspace: Workspace
) -> None:
    def run(command: Sequence[str], **_: object) -> Completed:  # noqa: ARG001  # as every runner is called
        return Completed(json.dumps({"name": "libpython3.11.so.1.0", "debian": False, **answers}), "")

    python = describe(Path(sys.executable), workspace)
    with pytest.raises(RuntimeTreeError, match=said) as caught:
        check_python(python, Workspace(workspace.cache, run))
    assert caught.value.step


def test_an_app_that_needs_the_network_when_it_is_imported_is_frozen_as_any_other(tmp_path: Path) -> None:
    source = """
        import urllib.request
        urllib.request.urlopen("http://127.0.0.1:9/")

        def main():
            pass
        """
    files = {"pyproject.toml": PROJECT, "asks.py": source}
    assert freeze(write_project(tmp_path, files), "--form=folder").report["notes"] == []


PROJECT = """
    [project]
    name = "asks"
    version = "1"
    scripts = {asks = "asks:main"}
    """


def test_a_module_that_nothing_provides_is_refused_before_anything_is_frozen(tmp_path: Path) -> None:
    files = {"pyproject.toml": PROJECT, "asks.py": "import nosuchmodule\ndef main(): pass\n"}
    done = cannery("freeze", "--form=folder", cwd=write_project(tmp_path, files))
    assert done.returncode == 3
    assert "asks.py:1 imports nosuchmodule, and no requirement brings it" in done.stderr
    assert "freezing" not in done.stderr


def test_a_module_that_a_program_does_without_is_no_matter(tmp_path: Path) -> None:
    source = """
        try:
            import perhaps
        except ImportError:
            perhaps = None

        def main():
            import later
        """
    files = {"pyproject.toml": PROJECT, "asks.py": source}
    notes = freeze(write_project(tmp_path, files), "--form=folder").report["notes"]
    assert not [note for note in notes if "perhaps" in note]


def test_a_package_that_only_pyinstaller_needs_is_not_there_for_the_app(tmp_path: Path) -> None:
    source = """
        def main():
            try:
                import setuptools
            except ImportError:
                setuptools = None
        """
    files = {"pyproject.toml": PROJECT, "asks.py": source}
    names = {part["name"] for part in freeze(write_project(tmp_path, files), "--form=folder").report["contents"]}
    assert "asks" in names
    assert not names & {"setuptools", "distutils"}  # nor what setuptools imports


def test_an_app_that_cannot_be_read_is_one_message(tmp_path: Path) -> None:
    project = write_project(tmp_path, {"pyproject.toml": PROJECT, "asks.py": "def main(:\n"})
    done = cannery("freeze", cwd=project)
    assert done.returncode == 3
    assert "asks.py" in done.stderr
    assert "Traceback" not in done.stderr
    assert not (project / "dist").exists()


def test_a_form_that_there_is_not_is_refused_with_the_ones_there_are(tmp_path: Path) -> None:
    done = cannery("freeze", "--form=floder", cwd=write_project(tmp_path, {"main.py": ""}))
    assert done.returncode == 2
    assert "did you mean 'folder'?" in done.stderr
    assert "static" in done.stderr


def test_a_setting_that_there_is_not_is_refused_too(tmp_path: Path) -> None:
    settings = "[tool.cannery.onefile]\nwihtout = ['ssl']\n"
    done = cannery("freeze", cwd=write_project(tmp_path, {"main.py": "", "pyproject.toml": settings}))
    assert done.returncode == 2
    assert "did you mean 'without'?" in done.stderr or "did you mean 'onefile.without'?" in done.stderr


def test_upx_is_noted_as_what_packs_nothing(tmp_path: Path) -> None:
    settings = "[tool.cannery.onefile]\nupx = true\n"
    project = write_project(tmp_path, {"main.py": "print('hello')", "pyproject.toml": settings})
    (note,) = freeze(project, "--form=folder").report["notes"]
    assert note.startswith("upx is set")


def test_a_large_program_gets_a_note_that_names_better_recipes() -> None:
    class Large:
        size = 120 * 10**6

        def open(self) -> Any:
            raise AssertionError

    tree = LazyTree("large", lambda: Tree({"/large": File(Large())}))
    made = Bundle(tree, {}, {}, ())
    assert not list(programs.notes_on_bundle(made, tree, "folder"))
    (note,) = programs.notes_on_bundle(made, tree, "static")
    assert "120 MB" in note
    assert "tiny" in note

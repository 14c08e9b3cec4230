"""Requirements of every kind come to the same: files with hashes, from the index that was meant, wheels of projects."""

from __future__ import annotations

import hashlib
import shutil
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from msgspec.structs import replace

from cannery.errors import RequirementsError
from cannery.image.content import OnDisk
from cannery.image.tree import LazyTree
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.resolve import resolve
from cannery.trees.wheels import NO_WHEELS, dependencies, environment_data
from cannery.workspace.process import find_uv, run
from tests.support.own_backend import own_backend
from tests.support.wheels import make_sdist, make_wheel

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.image.tree import Tree
    from cannery.project.requirements import Requirements
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]


class Dependencies(Protocol):
    """Resolves and installs the requirements of a project."""

    def __call__(self, folder: Path, **flags: object) -> tuple[Requirements, Tree]:
        """``flags`` are settings."""
        ...


@pytest.fixture
def installed(workspace: Workspace, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Dependencies:
    """What a project's requirements come to, with no index but those that the project names."""
    for name in ("UV_FIND_LINKS", "UV_NO_INDEX", "UV_DEFAULT_INDEX", "UV_INDEX"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("UV_OFFLINE", "1")
    monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "uv-cache"))
    target = describe(Path(sys.executable), workspace).target

    def make(folder: Path, **flags: object) -> tuple[Requirements, Tree]:
        app = load(folder, flags)
        assert app.requirements is not None
        requirements = resolve(app.requirements, app, target, workspace)
        return requirements, dependencies(requirements, target, workspace).tree

    return make


@pytest.fixture
def index(tmp_path: Path) -> Path:
    folder = tmp_path / "wheels"
    folder.mkdir()
    for name in ("tin", "ore"):
        make_wheel(folder, name)
    return folder


def names(tree: Tree) -> set[str]:
    """The files, without their folder; metadata by the distribution's name."""
    files = (path.partition("-packages/")[2] for path, _ in tree.files())
    return {path.partition("-1.0.dist-info")[0] if ".dist-info" in path else path for path in files}


def locked(folder: Path) -> Path:
    run([find_uv(), "lock", f"--python={sys.executable}"], cwd=folder)
    return folder


MAIN = {"main.py": ""}


@pytest.mark.parametrize(
    "text", ["--find-links {0}\ntin\n", "-r sub/base.txt\n", "-c sub/c.txt\n--no-index\n-f {0}\ntin"]
)
def test_indexes_of_a_requirements_file_reach_every_step(
    make_project: MakeProject, installed: Dependencies, index: Path, text: str
) -> None:
    base = "--no-index\n--find-links ../../wheels\ntin\n"  # relative to the file that names it
    folder = make_project({**MAIN, "sub/base.txt": base, "sub/c.txt": "tin<2", "requirements.txt": text.format(index)})
    requirements, tree = installed(folder)
    assert requirements.hashed
    assert names(tree) == {"tin.py", "tin"}


def pin(index: Path, name: str) -> str:
    """A line of a requirements file with the wheel's hash."""
    (wheel,) = index.glob(f"{name}-*.whl")
    return f"{name}==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}\n"


def test_a_hashed_file_is_installed_from_the_index_that_it_names(
    make_project: MakeProject, installed: Dependencies, index: Path
) -> None:
    folder = make_project({**MAIN, "requirements.txt": f"-f ../wheels\n--no-index\n{pin(index, 'tin')}"})
    requirements, tree = installed(folder)
    assert requirements.form == "requirements"
    assert names(tree) == {"tin.py", "tin"}


def test_what_a_hashed_file_lacks_is_an_error(make_project: MakeProject, installed: Dependencies, index: Path) -> None:
    make_wheel(index, "needy", requires=("tin",))
    folder = make_project({**MAIN, "requirements.txt": f"-f ../wheels\n--no-index\n{pin(index, 'needy')}"})
    with pytest.raises(RequirementsError, match=r"(?s)requirements\.txt can't be installed.*tin"):
        installed(folder)


@pytest.mark.usefixtures("index")
def test_a_hash_in_a_constraint_holds_too(make_project: MakeProject, installed: Dependencies) -> None:
    constraint = f"tin==1.0 --hash=sha256:{'0' * 64}\n"
    lines = "-c constraints.txt\n-f ../wheels\n--no-index\ntin\n"
    folder = make_project({**MAIN, "constraints.txt": constraint, "requirements.txt": lines})
    with pytest.raises(RequirementsError, match="no file of tin has one of the hashes"):
        installed(folder)


EXPLICIT = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["tin", "ore"]

[tool.uv.sources]
ore = { index = "other" }

[[tool.uv.index]]
name = "other"
url = "../other"
format = "flat"
explicit = true

[[tool.uv.index]]
name = "usual"
url = "../wheels"
format = "flat"
default = true
"""


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "unlocked"])
def test_an_explicit_index_is_asked_for_what_it_is_meant_for(
    make_project: MakeProject, installed: Dependencies, index: Path, lock: bool
) -> None:
    other = index.with_name("other")
    other.mkdir()
    (index / "ore-1.0-py3-none-any.whl").unlink()
    make_wheel(other, "ore", files={"ore_of_other.py": b""})
    folder = make_project({**MAIN, "pyproject.toml": EXPLICIT})
    if lock:
        locked(folder)
    requirements, tree = installed(folder)
    assert names(tree) == {"tin.py", "tin", "ore.py", "ore_of_other.py", "ore"}
    assert requirements.locked is lock


@pytest.mark.parametrize(
    "line", ["./lib", "-e ./lib", "-e ./lib[x]", "lib @ ./lib", "lib @ file://{folder}/lib", "-r sub/base.txt"]
)
def test_a_folder_is_built_and_installed_as_a_wheel(
    make_project: MakeProject, installed: Dependencies, index: Path, line: str
) -> None:
    lib = {f"lib/{name}": text for name, text in own_backend("lib", requires=("tin",)).items()}
    folder = make_project({**MAIN, **lib, "sub/base.txt": "-e ../lib\n"})
    (folder / "requirements.txt").write_text(f"-f {index}\n--no-index\n{line.format(folder=folder)}\n")
    requirements, tree = installed(folder)
    assert names(tree) == {"lib/__init__.py", "lib", "tin.py", "tin"}
    assert not requirements.locked
    assert not any(path.endswith(".pth") for path, _ in tree)


def test_a_folder_is_built_anew_when_its_content_changes_and_nothing_else_is_resolved(
    make_project: MakeProject, installed: Dependencies, index: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("NOTE_CALLS", str(tmp_path / "calls"))
    lib = {f"lib/{name}": text for name, text in own_backend("lib", requires=("tin",)).items()}
    folder = make_project({**MAIN, **lib, "requirements.txt": f"-f {index}\n--no-index\n./lib\n"})
    first, _ = installed(folder)
    assert installed(folder)[0] == first
    assert (tmp_path / "calls").read_text().split() == ["wheel"]
    shutil.copy(index / "tin-1.0-py3-none-any.whl", index / "tin-1.1-py3-none-any.whl")  # nobody looks there again
    (folder / "lib" / "lib" / "more.py").write_text("")
    second, tree = installed(folder)
    assert second != first
    assert names(tree) == {"lib/__init__.py", "lib/more.py", "lib", "tin.py", "tin"}
    assert (tmp_path / "calls").read_text().split() == ["wheel", "wheel"]


WORKSPACE = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["lib", "beside"]

[tool.uv]
find-links = ["wheels"]
no-index = true

[tool.uv.sources]
lib = { workspace = true }
beside = { path = "beside", editable = true }

[tool.uv.workspace]
members = ["lib"]
"""


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "unlocked"])
def test_members_of_a_workspace_and_paths_are_wheels(
    make_project: MakeProject, installed: Dependencies, index: Path, lock: bool
) -> None:
    dynamic = '[project]\nname = "beside"\ndynamic = ["version"]\n'
    inner = {"lib": own_backend("lib", requires=("tin",)), "beside": own_backend("beside", project=dynamic)}
    files = {f"{name}/{path}": text for name, texts in inner.items() for path, text in texts.items()}
    folder = make_project({**MAIN, "pyproject.toml": WORKSPACE, **files})
    index.rename(folder / "wheels")
    if lock:
        locked(folder)
    _, tree = installed(folder)
    assert names(tree) == {"lib/__init__.py", "lib", "beside/__init__.py", "beside", "tin.py", "tin"}


@pytest.mark.parametrize("line", ["-e .", ".[x]"])
def test_the_project_itself_stands_for_what_it_requires(
    make_project: MakeProject, installed: Dependencies, index: Path, line: str
) -> None:
    project = '[project]\nname = "app"\nversion = "1"\ndependencies = ["tin"]\noptional-dependencies = {x = ["ore"]}\n'
    folder = make_project(
        {**MAIN, **own_backend("app", project=project), "requirements.txt": f"-f {index}\n--no-index\n{line}\n"}
    )
    found = names(installed(folder)[1])
    assert found == ({"tin.py", "tin"} if line == "-e ." else {"tin.py", "tin", "ore.py", "ore"})


@pytest.mark.parametrize("extras", [(), ("x",)])
def test_dependencies_that_only_the_backend_knows_are_asked_for(
    make_project: MakeProject,
    installed: Dependencies,
    index: Path,
    extras: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    monkeypatch.setenv("UV_NO_INDEX", "1")
    dynamic = '[project]\nname = "app"\ndynamic = ["version", "dependencies", "optional-dependencies"]\n'
    requires = ("tin", "ore ; extra == 'x'")
    folder = make_project({**MAIN, **own_backend("app", project=dynamic, requires=requires)})
    found = names(installed(folder, extras=list(extras))[1])
    assert found == {"tin.py", "tin", *({"ore.py", "ore"} if extras else ())}


@pytest.mark.usefixtures("index")
def test_a_lock_is_held_against_the_image_s_python_and_not_this_machine_s(
    make_project: MakeProject, installed: Dependencies, workspace: Workspace
) -> None:
    folder = make_project(
        {**MAIN, "pyproject.toml": EXPLICIT.replace("ore = ", "tin = ").replace("../other", "../wheels")}
    )
    requirements, _ = installed(locked(folder))
    assert "requires-python" not in requirements.text
    app = load(folder)
    assert app.requirements is not None
    here = describe(Path(sys.executable), workspace).target
    later = replace(here, version=(3, 14, 1), options=("--python-version=3.14.1",))
    assert "/tin.py" in str([*dependencies(resolve(app.requirements, app, later, workspace), later, workspace).tree])
    with pytest.raises(RequirementsError, match=r"uv\.lock is for Python >=3\.11, and not for 3\.10\.2"):
        resolve(app.requirements, app, replace(here, version=(3, 10, 2)), workspace)


def test_what_has_only_a_source_is_refused_with_the_way_out(
    make_project: MakeProject, installed: Dependencies, index: Path
) -> None:
    make_sdist(index, "raw")
    folder = make_project({**MAIN, "requirements.txt": f"-f {index}\n--no-index\nraw\n"})
    with pytest.raises(RequirementsError, match="raw") as raised:
        installed(folder)
    assert "pip wheel" in raised.value.step


LOCKED_GIT = """
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["lib"]

[tool.uv.sources]
lib = {{ git = "{url}", subdirectory = "inner" }}

[tool.uv]
no-index = true
find-links = ["../wheels"]
"""


@pytest.mark.parametrize("lock", [True, False], ids=["locked", "lines"])
def test_what_lies_in_git_is_built_at_its_commit(
    make_project: MakeProject, installed: Dependencies, index: Path, tmp_path: Path, lock: bool
) -> None:
    lib = {f"inner/{name}": text for name, text in own_backend("lib", requires=("tin",)).items()}
    repository = make_project(lib, folder="repository")
    git = ["git", "-c", "user.name=A", "-c", "user.email=a@example.org", "-C", str(repository)]
    for command in (["init", "--quiet"], ["add", "."], ["commit", "--quiet", "--message=One"]):
        run([*git, *command])
    url = repository.as_uri()
    if lock:
        folder = locked(make_project({**MAIN, "pyproject.toml": LOCKED_GIT.format(url=url)}))
    else:
        line = f"lib @ git+{url}#subdirectory=inner\n"
        folder = make_project({**MAIN, "requirements.txt": f"-f {index}\n--no-index\n{line}"})
    assert names(installed(folder)[1]) == {"lib/__init__.py", "lib", "tin.py", "tin"}
    repository.rename(tmp_path / "moved")  # what was built of a commit stays
    assert names(installed(folder)[1]) == {"lib/__init__.py", "lib", "tin.py", "tin"}


def test_setuptools_writes_nothing_into_a_project(
    make_project: MakeProject, installed: Dependencies, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("UV_OFFLINE")  # setuptools has to come from somewhere
    monkeypatch.delenv("UV_CACHE_DIR")
    setup = "from setuptools import setup\nsetup(name='lib', version='1.0', packages=['lib'])\n"
    stale = "raise RuntimeError('left by an earlier build')\n"
    files = {"lib/setup.py": setup, "lib/lib/__init__.py": "", "lib/build/lib/lib/gone.py": stale}
    folder = make_project({**MAIN, **files, "requirements.txt": "./lib\n"})
    before = sorted((folder / "lib").rglob("*"))
    _, tree = installed(folder)
    assert names(tree) - {"top_level.txt"} == {"lib/__init__.py", "lib"}
    assert sorted((folder / "lib").rglob("*")) == before


def test_a_folder_that_is_no_project_is_an_error(make_project: MakeProject, installed: Dependencies) -> None:
    folder = make_project({**MAIN, "lib/notes.txt": "", "requirements.txt": "./lib\n"})
    with pytest.raises(RequirementsError, match="lib is required, and is no project"):
        installed(folder)


def test_a_project_that_is_not_built_is_an_error_with_its_backends_words(
    make_project: MakeProject, installed: Dependencies
) -> None:
    lib = {f"lib/{name}": text for name, text in own_backend("lib", version="1 / 0").items()}
    folder = make_project({**MAIN, **lib, "requirements.txt": "./lib\n"})
    with pytest.raises(RequirementsError, match=r"(?s)lib can't be built as a wheel.*ZeroDivisionError") as raised:
        installed(folder)
    assert f"uv build --wheel {folder / 'lib'}" in raised.value.step


def test_a_script_has_its_own_requirements(make_project: MakeProject, installed: Dependencies, index: Path) -> None:
    script = (
        f"# /// script\n# dependencies = ['tin']\n# [tool.uv]\n# find-links = ['{index}']\n# no-index = true\n# ///\n"
    )
    folder = make_project({"main.py": script})
    requirements, tree = installed(folder)
    assert (names(tree), requirements.locked) == ({"tin.py", "tin"}, False)
    run([find_uv(), "lock", "--script", "main.py", f"--python={sys.executable}"], cwd=folder)
    again, tree = installed(folder)
    assert (names(tree), again.locked, again.source.name) == ({"tin.py", "tin"}, True, "main.py.lock")


PIPFILE = """
[[source]]
url = "https://index.example/simple"
name = "own"

[packages]
tin = "*"

[dev-packages]
ore = "==1.0"
"""


@pytest.mark.parametrize(("groups", "found"), [((), {"tin"}), (("dev",), {"tin", "ore"})])
def test_a_pipfile_and_its_lock(
    make_project: MakeProject,
    installed: Dependencies,
    index: Path,
    groups: Iterable[str],
    found: set[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("UV_FIND_LINKS", str(index))
    folder = make_project({**MAIN, "Pipfile": PIPFILE})
    assert found <= names(installed(folder, groups=list(groups))[1])


def test_installed_files_are_no_links_whatever_uv_is_told(
    make_project: MakeProject, installed: Dependencies, index: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("UV_LINK_MODE", "symlink")
    folder = make_project({**MAIN, "requirements.txt": f"-f {index}\n--no-index\ntin\n"})
    _, tree = installed(folder)
    contents = [file.content for _, file in tree.files()]
    assert any(isinstance(content, OnDisk) for content in contents)
    assert not [content for content in contents if isinstance(content, OnDisk) and content.path.is_symlink()]


def test_data_of_a_wheel_lies_in_the_prefix(
    make_project: MakeProject, installed: Dependencies, index: Path, workspace: Workspace
) -> None:
    files = {
        "tin-1.0.data/data/share/tin/a.txt": b"a",
        "tin-1.0.data/data/etc/tin.conf": b"",
        "tin-1.0.data/scripts/t": b"#!python\n",
    }
    make_wheel(index, "tin", files=files)
    folder = make_project({**MAIN, "requirements.txt": f"-f {index}\n--no-index\ntin\n"})
    _, tree = installed(folder)
    data = {"/usr/local/share/tin/a.txt", "/usr/local/etc/tin.conf"}
    assert {path for path, _ in tree.files() if "-packages/" not in path} == data
    site = describe(Path(sys.executable), workspace).image_site_packages
    for _ in range(2):  # read, and remembered
        assert set(environment_data(LazyTree("tin", lambda: tree), site, workspace).tree.entries) == data
    assert environment_data(NO_WHEELS, site, workspace) is NO_WHEELS


def test_a_file_that_requires_nothing_is_no_error(make_project: MakeProject, installed: Dependencies) -> None:
    requirements, tree = installed(make_project({**MAIN, "requirements.txt": "# nothing yet\n"}))
    assert requirements.text.endswith("packages = []\n")
    assert not names(tree)

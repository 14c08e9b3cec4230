"""Dependencies come as wheels that fit musl where such are published of the same version: pure ones, or for musl."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING, Literal

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.requirements import Requirements
from cannery.project.trimmed_wheels import TELLING
from cannery.python.interpreter import describe
from cannery.trees.fitting_wheels import Accelerators, fitting_wheels
from cannery.workspace.cache import Cache
from cannery.workspace.process import Completed, ProgramFailed
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence


pytestmark = pytest.mark.once

_NATIVE = "Wheel-Version: 1.0\nTag: cp311-cp311-manylinux_2_17_x86_64\n"
_LOCK = "other==1.0 --hash=sha256:0\nA.Name[extra]==2.0 ; python_version > '3' --hash=sha256:1 --hash=sha256:2\n"
_PYLOCK = '[[packages]]\nname = "a.name"\nwheels = [{ hashes = { sha256 = "1" } }, { hashes = { sha256 = "2" } }]\n'


_MUSL = ("--python-platform", "x86_64-unknown-linux-musl", "--python-version", "3.11")
_PURE_WHEEL = {"a_name/__init__.py": "", "a_name/slow.py": "", "a_name-2.0.dist-info/WHEEL": "Tag: py3-none-any\n"}
_MUSL_WHEEL = {
    "a_name/__init__.py": "",
    "a_name/fast.cpython-311-x86_64-linux-musl.so": "",
    "a_name-2.0.dist-info/WHEEL": "Tag: cp311-cp311-musllinux_1_2_x86_64\n",
}


class Index:
    """Stands where uv is: an index that has a pure wheel or none, and one for musl or none."""

    def __init__(self, pure: Mapping[str, str], musl: Mapping[str, str]) -> None:
        self.pure, self.musl = pure, musl
        self.pins: list[str] = []

    def run(
        self, command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Completed:
        """What ``uv pip install`` does to the folder that it's told of."""
        assert (cwd, env, stdin) == (Path("/project"), TELLING, "")
        self.pins.append(Path(command[command.index("--requirements") + 1]).read_text())
        files = self.musl if _MUSL[1] in command else self.pure
        if not files:
            raise ProgramFailed(command, 1, "", "no wheel")
        target = Path(command[command.index("--prefix") + 1], "lib", "python3.11", "site-packages")
        for name, text in files.items():
            (target / name).parent.mkdir(parents=True, exist_ok=True)
            (target / name).write_text(text)
        return Completed("", "")


@pytest.fixture(params=[("requirements.txt", _LOCK), ("pylock.toml", _PYLOCK)], ids=["requirements", "pylock"])
def requirements(request: pytest.FixtureRequest) -> Requirements:
    name, text = request.param
    form: Literal["pylock", "requirements"] = "pylock" if name.startswith("pylock.") else "requirements"
    return Requirements(Path("/project") / name, text, form, locked=True, universal=True, hashed=True)


def fitting(
    requirements: Requirements,
    index: Index,
    workspace: Workspace,
    cache: Path,
    how: Accelerators = Accelerators.WITHOUT_A_PURE_WHEEL,
) -> set[str]:
    target = describe(Path(sys.executable), workspace).target
    site = target.site_packages
    files = {"a_name/__init__.py": "", "a_name/fast.so": "", "a_name-2.0.dist-info/WHEEL": _NATIVE, "other.py": ""}
    files |= {"a_name.libs/libx-12.so.1": "", "another.so": "", "a_top.so": ""}
    files |= {"a_name-2.0.dist-info/top_level.txt": "a_name\na_top\n"}
    tree = Tree({f"{site}/{name}": File(Inline(text.encode())) for name, text in files.items()})
    offline = Workspace(Cache(cache), index.run)
    made = fitting_wheels(requirements, LazyTree("wheels", lambda: tree), target, _MUSL, how, offline).tree
    return {path.removeprefix(f"{site}/") for path, _ in made}


def test_the_pure_wheel_is_taken_by_the_hashes_of_the_lock_however_it_spells_the_name(
    requirements: Requirements, workspace: Workspace, tmp_path: Path
) -> None:
    index = Index(_PURE_WHEEL, _MUSL_WHEEL)
    found = fitting(requirements, index, workspace, tmp_path / "pure")
    assert found == {*_PURE_WHEEL, "other.py", "another.so", "a_top.so"}
    assert index.pins == ["a_name==2.0 --hash=sha256:1 --hash=sha256:2\n"]


@pytest.mark.parametrize(
    ("index", "how"),
    [
        (Index({}, _MUSL_WHEEL), Accelerators.WITHOUT_A_PURE_WHEEL),
        (Index({}, _MUSL_WHEEL), Accelerators.NONE),
        (Index(_PURE_WHEEL, _MUSL_WHEEL), Accelerators.ALL),
    ],
    ids=["no pure wheel", "the same, no accelerators", "all accelerators"],
)
def test_the_wheel_for_musl_takes_the_place_of_all_that_is_for_glibc(
    index: Index, how: Accelerators, requirements: Requirements, workspace: Workspace, tmp_path: Path
) -> None:
    found = fitting(requirements, index, workspace, tmp_path / "musl", how)
    assert found == {*_MUSL_WHEEL, "other.py", "another.so", "a_top.so"}


def test_what_has_no_wheel_that_fits_stays(requirements: Requirements, workspace: Workspace, tmp_path: Path) -> None:
    assert "a_name/fast.so" in fitting(requirements, Index({}, {}), workspace, tmp_path / "none")


def test_compiled_modules_give_way_to_the_sources_beside_them(
    requirements: Requirements, workspace: Workspace, tmp_path: Path
) -> None:
    target = describe(Path(sys.executable), workspace).target
    sources = {"fast": "x = 1\n", "only": "import cython\n", "loads": "def __bootstrap__(): ...\n"}
    files = {f"p/{name}.cpython-311-x86_64-linux-gnu.so": "" for name in (*sources, "alone")}
    files |= {f"p/{name}.py": text for name, text in sources.items()}
    tree = Tree({f"{target.site_packages}/{name}": File(Inline(text.encode())) for name, text in files.items()})
    offline = Workspace(Cache(tmp_path / "pure"), Index({}, {}).run)
    how = Accelerators.WITHOUT_A_PURE_WHEEL
    made = fitting_wheels(requirements, LazyTree("compiled", lambda: tree), target, _MUSL, how, offline).tree
    gone = f"{target.site_packages}/p/fast.cpython-311-x86_64-linux-gnu.so"
    assert tree.entries.keys() - made.entries.keys() == {gone}
    assert [each.path for each in made.decisions] == [gone]

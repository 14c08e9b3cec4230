"""Extension modules stay out of static executables where the program does without them, and are refused elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.imports.analysis import reach
from cannery.imports.model import Host
from cannery.project.config import load
from cannery.recipes.static_program.extensions import without_extensions
from cannery.recipes.static_program.wanted import wanted_modules
from tests.support.places import place_of, tree_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.imports.model import Reach
    from cannery.imports.places import Place
    from cannery.recipes.static_program.extensions import Reduced
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

HOST = Host((3, 11, 2), frozenset({"sys"}))


def reduced(
    main: str,
    wheels: dict[str, str],
    workspace: Workspace,
    wanted: str = "",
    why: str | None = "it is for glibc",
    *,
    optional: bool = True,
) -> Reduced:
    """What an app and wheels come to, none of whose extension modules can be loaded, but for no reason ``why``."""
    places = [place_of("app", "/app", {"main.py": main}), place_of("dependencies", "/site", wheels)]

    def reach_in(some: Sequence[Place]) -> Reach:
        return reach(some, [], HOST, workspace, script="/app/main.py")

    return without_extensions(places, reach_in, lambda _: why, lambda: frozenset(wanted.split()), optional=optional)


def test_one_that_an_importer_does_without_is_left_out_and_told(workspace: Workspace) -> None:
    wheels = {"a/__init__.py": "try:\n from . import fast\nexcept ImportError:\n fast = None", "a/fast.abi3.so": ""}
    found = reduced("import a", wheels, workspace)
    assert "a.fast" not in found.reach.modules
    assert found.notes[0].endswith("what imports it does without: a.fast: it is for glibc")
    assert not found.libraries


def test_one_whose_source_lies_beside_it_gives_way_to_that(workspace: Workspace) -> None:
    found = reduced("import a", {"a.py": "import b", "a.abi3.so": "", "b.py": ""}, workspace)
    assert found.reach.modules["a"].kind == "source"
    assert "b" in found.reach.modules


@pytest.mark.parametrize(
    "wheels",
    [
        {"a/__init__.py": "from . import fast", "a/fast.abi3.so": ""},
        {"a/__init__.py": "def f():\n from . import fast", "a/fast.abi3.so": ""},
        {"a/__init__.py": "from . import fast", "a/fast.abi3.so": "", "a/fast.py": "import a_compiler"},
        {
            "a/__init__.py": "try:\n from . import fast\nexcept ImportError:\n raise RuntimeError",
            "a/fast.abi3.so": "",
        },
    ],
    ids=["at once", "in a function", "its source is for its compiler alone", "its absence is told in other words"],
)
def test_one_that_is_needed_is_refused(wheels: dict[str, str], workspace: Workspace) -> None:
    with pytest.raises(ProjectError, match="a can't be loaded") as refused:
        reduced("import a", wheels, workspace)
    assert "/site/a/fast.abi3.so: it is for glibc\n  a.fast < a < __main__" in str(refused.value.evidence)


def test_of_many_a_few_are_told_and_the_package_is_what_may_be_left_out(workspace: Workspace) -> None:
    names = [f"m{number}" for number in range(9)]
    wheels = {"a/__init__.py": f"from . import {', '.join(names)}", **{f"a/{name}.abi3.so": "" for name in names}}
    with pytest.raises(ProjectError) as refused:
        reduced("import a", wheels, workspace)
    told = str(refused.value.evidence).splitlines()
    assert (len(told), told[-1]) == (7, "and 6 more of a")
    assert refused.value.step.endswith('without = ["a"]')


def test_a_library_that_a_package_opens_is_told(workspace: Workspace) -> None:
    found = reduced("import a", {"a/__init__.py": "", "a/libx.so": ""}, workspace)
    assert found.notes[0].startswith(
        "/site/a/libx.so is a shared library that can't be opened (ctypes): it is for glibc"
    )


FAST = {
    "a/__init__.py": "try:\n from . import fast\nexcept ImportError:\n fast = None\nfrom . import core",
    "a/fast.abi3.so": "",
    "a/core.abi3.so": "",
    "a/libx.so": "",
}


@pytest.mark.parametrize(("optional", "found"), [(True, {"core", "fast"}), (False, {"core"})])
def test_those_that_can_be_loaded_go_in_and_optional_ones_where_they_are_wanted(
    optional: bool, found: set[str], workspace: Workspace
) -> None:
    made = reduced("import a", FAST, workspace, why=None, optional=optional)
    assert set(made.libraries) == {*(f"/site/a/{name}.abi3.so" for name in found), "/site/a/libx.so"}
    assert [note.rpartition(": ")[2] for note in made.notes] == ["accelerators = false"] * (not optional)


SOUP = {
    "soup.py": "try:\n import parser_x.etree\nexcept ImportError:\n pass",
    "parser_x/__init__.py": "",
    "parser_x/etree.abi3.so": "",
}


def test_what_is_required_by_name_is_no_accelerator_of_others(workspace: Workspace) -> None:
    assert reduced("import soup", SOUP, workspace).notes[0].endswith("parser_x.etree: it is for glibc")
    with pytest.raises(ProjectError, match="parser_x can't be loaded") as refused:
        reduced("import soup", SOUP, workspace, "parser_x")
    assert refused.value.step.endswith('without = ["parser_x.etree"]')


@pytest.mark.parametrize(
    "main", ["try:\n import parser_x.etree\nexcept ImportError:\n pass", "import parser_x, soup"], ids=["app", "used"]
)
def test_an_app_that_goes_on_without_it_or_uses_the_rest_of_it_does_without(main: str, workspace: Workspace) -> None:
    assert reduced(main, SOUP, workspace, "parser_x").notes[0].endswith("parser_x.etree: it is for glibc")


@pytest.mark.parametrize(("lines", "found"), [("soup\nparser-x\n", {"soup", "parser_x"}), ("soup\n", {"soup"})])
def test_modules_are_wanted_of_what_requirements_name(make_project: MakeProject, lines: str, found: set[str]) -> None:
    app = load(make_project({"main.py": "print(1)", "requirements.txt": lines}))
    infos = {"soup": "Requires-Dist: tin>=1\nRequires-Dist: parser_x ; extra == 'x'\n", "parser_x": "", "tin": ""}
    files = {f"/site/{name}-1.0.dist-info/METADATA": f"Name: {name}\n{text}" for name, text in infos.items()}
    files |= {f"/site/{name}-1.0.dist-info/top_level.txt": name for name in infos}
    assert wanted_modules(app, tree_of(files)) == found


def test_of_requirements_that_name_all_that_is_installed_those_count_that_no_other_has(
    make_project: MakeProject,
) -> None:
    app = load(make_project({"main.py": "print(1)", "requirements.txt": "soup==1.0\nparser_x==1.0\n"}))
    infos = {"soup": "Requires-Dist: parser_x ; extra == 'x'\n", "parser_x": ""}
    files = {f"/site/{name}-1.0.dist-info/METADATA": f"Name: {name}\n{text}" for name, text in infos.items()}
    files |= {f"/site/{name}-1.0.dist-info/top_level.txt": name for name in infos}
    assert wanted_modules(app, tree_of(files)) == {"soup"}

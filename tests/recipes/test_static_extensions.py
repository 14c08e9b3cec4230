"""Extension modules stay out of static executables where the program does without them, and are refused elsewhere."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.imports.analysis import reach
from cannery.imports.model import Host
from cannery.recipes.static_program.extensions import without_extensions
from tests.support.places import place_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.imports.model import Reach
    from cannery.imports.places import Place
    from cannery.recipes.static_program.extensions import Reduced
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

HOST = Host((3, 11, 2), frozenset({"sys"}))


def reduced(main: str, wheels: dict[str, str], workspace: Workspace) -> Reduced:
    places = [place_of("app", "/app", {"main.py": main}), place_of("dependencies", "/site", wheels)]

    def reach_in(some: Sequence[Place]) -> Reach:
        return reach(some, [], HOST, workspace, script="/app/main.py")

    return without_extensions(places, reach_in)


def test_one_that_an_importer_does_without_is_left_out_and_told(workspace: Workspace) -> None:
    wheels = {"a/__init__.py": "try:\n from . import fast\nexcept ImportError:\n fast = None", "a/fast.abi3.so": ""}
    found = reduced("import a", wheels, workspace)
    assert "a.fast" not in found.reach.modules
    assert found.notes[0].endswith("what imports them does without: a.fast")


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
    with pytest.raises(ProjectError, match="a needs dynamic loading") as refused:
        reduced("import a", wheels, workspace)
    assert "/site/a/fast.abi3.so: a.fast < a < __main__" in str(refused.value.evidence)


def test_a_library_that_a_package_opens_is_told(workspace: Workspace) -> None:
    found = reduced("import a", {"a/__init__.py": "", "a/libx.so": ""}, workspace)
    assert found.notes[0].startswith("/site/a/libx.so is a shared library, which a static executable can't open")

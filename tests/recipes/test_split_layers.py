"""``layers = "shared"``: dependencies in several layers, each the same wherever its files are the same."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.image.content import Inline
from cannery.image.platform import Platform
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.config import load
from cannery.recipes.plan import Plan
from cannery.recipes.split_layers import AT_LEAST, AT_MOST, split_layers
from tests.support.command import cannery
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

_SITE = "/usr/local/lib/python3.11/site-packages"


@pytest.fixture
def plan(make_project: MakeProject) -> Plan:
    app = load(make_project({"main.py": "print()\n", "requirements.txt": "large\n"}))
    return Plan(app, (), {}, Platform.parse("linux/amd64"))


def _split(plan: Plan, workspace: Workspace, sizes: Mapping[str, int]) -> dict[str, list[str]]:
    """The files of each layer of dependencies that has files of those sizes, by their names below the packages."""
    tree = Tree({f"{_SITE}/{name}": File(Inline(bytes(size))) for name, size in sizes.items()})
    lazy = LazyTree("of a test", lambda: tree)
    made = split_layers(replace(plan, layers=(("dependencies", lazy), ("app", lazy))), workspace)
    assert made.layers[-1] == ("app", lazy)
    return {name: [path.removeprefix(f"{_SITE}/") for path in part.tree.entries] for name, part in made.layers[:-1]}


def test_each_large_package_has_a_layer_with_all_that_is_its_own(plan: Plan, workspace: Workspace) -> None:
    names = ("large/__init__.pyc", "large.libs/libx.so", "large-1.0.dist-info/METADATA")
    sizes = {**dict.fromkeys(names, AT_LEAST // 2), "small.pyc": 1, "other/__init__.pyc": 1}
    assert _split(plan, workspace, sizes) == {
        "dependencies": ["small.pyc", "other/__init__.pyc"],
        "dependencies/large": list(names),
    }


def test_small_ones_stay_in_one_layer(plan: Plan, workspace: Workspace) -> None:
    assert list(_split(plan, workspace, {"a.pyc": AT_LEAST - 1, "b.pyc": AT_LEAST - 1})) == ["dependencies"]


def test_there_are_no_more_layers_than_are_quickly_sent(plan: Plan, workspace: Workspace) -> None:
    made = _split(plan, workspace, {f"package{number}/x": AT_LEAST + number for number in range(AT_MOST + 5)})
    assert len(made) == AT_MOST
    assert len(made["dependencies"]) == 6  # the smallest


def test_which_are_large_is_remembered(plan: Plan, workspace: Workspace) -> None:
    first = _split(plan, workspace, {"large/x": AT_LEAST, "small.pyc": 1})

    def nobody_asks() -> Tree:
        pytest.fail("the wheels were read")

    again = split_layers(replace(plan, layers=(("dependencies", LazyTree("of a test", nobody_asks)),)), workspace)
    assert [name for name, _ in again.layers] == list(first)


def test_an_executable_is_not_split_and_that_is_said(plan: Plan, workspace: Workspace) -> None:
    made = split_layers(replace(plan, layers=(("executable", LazyTree("one", Tree)),)), workspace)
    assert [name for name, _ in made.layers] == ["executable"]
    assert made.notes[0].startswith('layers = "shared" splits no executable')


@pytest.mark.slow
@pytest.mark.parametrize("recipe", ["scratch", "tiny"])
def test_images_with_other_requirements_share_the_layer_of_a_large_package(
    recipe: str, make_project: MakeProject, tmp_path: Path
) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "large", files={"large_data/table.bin": os.urandom(AT_LEAST), "large_data/__init__.py": b""})
    make_wheel(wheels, "small")

    def layers(*requirements: str) -> dict[str, Any]:
        files = {
            "main.py": "import large_data\n" + "".join(f"import {name}\n" for name in requirements),
            "requirements.txt": "".join(f"{name}==1.0\n" for name in requirements),
            "pyproject.toml": '[tool.cannery]\nlayers = "shared"\n',
        }
        folder = make_project(files, requirements[-1])
        done = cannery("image", f"--recipe={recipe}", "--engine=none", "--json", cwd=folder, **only_from(wheels))
        return {each["name"]: each["digest"] for each in done.report["layers"]}

    alone, both = layers("large"), layers("large", "small")
    assert alone["dependencies/large_data"] == both["dependencies/large_data"]
    assert alone["dependencies"] != both["dependencies"]

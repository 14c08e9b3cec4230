"""Programs find what their requirements bring, wherever these were named."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import cannery
from tests.support.own_backend import own_backend
from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

MAIN = """
    import importlib.metadata
    import sys

    import lib
    import tin

    print(lib.__name__, importlib.metadata.version("lib"), open(sys.prefix + "/share/tin/a.txt").read())
"""


@pytest.mark.parametrize("recipe", ["scratch", "tiny"])
def test_a_folder_and_data_of_a_wheel(make_project: MakeProject, tmp_path: Path, recipe: str) -> None:
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "tin", files={"tin-1.0.data/data/share/tin/a.txt": b"sardines"})
    lib = {f"lib/{name}": text for name, text in own_backend("lib", version="'3.2'", requires=("tin",)).items()}
    dynamic = lib["lib/pyproject.toml"].replace('version = "1.0"', 'dynamic = ["version"]')
    folder = make_project(
        {"main.py": MAIN, **lib, "lib/pyproject.toml": dynamic, "requirements/base.txt": "-f ../../wheels\n-e ./lib\n"}
    )
    make_project({"requirements/prod.in": "--no-index\n-r base.txt\n"})
    outcome = cannery("run", "--recipe", recipe, cwd=folder)
    assert (outcome.code, outcome.stdout) == (0, "lib 3.2 sardines\n"), outcome.stderr

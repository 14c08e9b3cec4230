"""What an image is asked where nobody says what."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.image.image import assemble
from cannery.image.platform import machine_platform
from cannery.project.config import load
from cannery.recipes.check import check
from cannery.recipes.plan import Built

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize("recipe", ["onefile", "static"])
def test_an_image_that_nothing_can_be_asked_of_is_told_what_to_set(
    make_project: MakeProject, workspace: Workspace, recipe: str
) -> None:
    """``onefile`` has no Python, and ``static`` knows its only script as nothing else."""
    app = load(make_project({"main.py": "print('hello')\n"}), {"recipe": recipe})
    built = Built(app, assemble((), {}, machine_platform()), frozenset())
    with pytest.raises(ConfigurationError, match="nothing says what the program is to be asked") as raised:
        check(built, (), workspace, patience=1)
    assert 'check = "--version"' in raised.value.step

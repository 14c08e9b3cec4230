"""The configuration of an image, as far as no whole image shows it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.recipes.container_config import program_config

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


def test_a_program_starts_among_the_project_s_files_where_some_lie_in_its_image(make_project: MakeProject) -> None:
    app = load(make_project({"main.py": 'print(open("words.txt").read())', "words.txt": ""}))
    assert program_config(app, "/usr/local/bin/x", resources=True)["WorkingDir"] == "/app"
    assert program_config(app, "/usr/local/bin/x")["WorkingDir"] == "/"

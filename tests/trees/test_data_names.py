"""Modules that only an app's files of settings name are reached."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.app import app_tree
from cannery.trees.data_names import names_in_settings
from cannery.trees.shaken import reach_of
from tests.support.places import tree_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("text", "names"),
    [
        ("pyramid.includes = pyramid_jinja2 other_one", {"pyramid.includes", "pyramid_jinja2", "other_one"}),
        ("theme:\n  name: material\nplugins:\n  - search", {"material", "search"}),
        ('{"class": "logger.json.Formatter",\n "name": "plain"\n}', {"logger.json.Formatter", "plain"}),
        ("use = egg:waitress#main\nmain = app.wsgi:make", {"app.wsgi:make"}),
        ("# please click here\ntitle = Two words", set()),
        ("url = https://x.example.org/a_b/c.d\nmail = a_b@c.org", set()),
    ],
)
def test_names_are_told_from_prose(text: str, names: set[str]) -> None:
    found = set(names_in_settings(text))
    assert names <= found
    assert not {"click", "please", "Two", "words", "example", "a_b", "https"} & found


@pytest.mark.slow
def test_what_settings_name_is_reached(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project(
        {"main.py": "open('logging.yaml')", "logging.yaml": "class: logs.json.Formatter\nplugin: other\nword: json\n"}
    )
    app = load(folder)
    python = describe(Path(sys.executable), workspace)
    site = python.image_site_packages
    files = {f"{site}/{name}": "" for name in ("logs/__init__.py", "logs/json.py", "logs/not.py", "other.py", "no.py")}
    reached = reach_of(app, python, app_tree(app, workspace), tree_of(files), workspace)
    assert {name for name, module in reached.modules.items() if module.place == "dependencies"} == {
        "logs", "logs.json", "other",
    }  # fmt: skip


@pytest.mark.parametrize("text", ["\n", " \n", "a:\n", "-\n", "a: "])
def test_what_is_there_over_and_over_takes_no_time(text: str) -> None:
    assert not list(names_in_settings(text * 50_000))

"""What lies beside a script goes in where only a dependency's code names it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from msgspec.structs import replace

from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.config import load
from cannery.trees.app import app_tree
from cannery.trees.looked_for import looked_for, paths_in

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"


@pytest.mark.parametrize(
    ("source", "paths"),
    [
        ("PATHS = ['./', './views/']", ["views"]),
        ("def f(path='./rules/base.yaml'): ...", ["rules/base.yaml"]),
        ("os.path.isdir('plugins')", ["plugins"]),
        ("open('rules.yaml', encoding='utf-8')", ["rules.yaml"]),
        ("os.path.join(os.getcwd(), 'words')", ["words"]),
        ("Path.cwd() / 'words'", ["words"]),
        ("pathlib.Path('words').read_text()", ["words"]),
        ("class App:\n def __init__(self, name, *, assets_folder: str = 'words', word='no'): ...", ["words"]),
        ("def f(kind, folder='words', other=None): ...", ["words"]),
        ("NAME = 'words'\nprint('words/')", []),
        ("'''Reads as open('words') does.'''", []),
        ("archive.open('words')", []),
        ("path.open('rb')", []),
        ("open('log.txt', 'w')", []),
        ("open('pyproject.toml'), open('README.md'), Path('docs'), Path('tests/data')", []),
        ("open('words'", []),
    ],
)
def test_a_path_counts_where_it_is_said_to_be_one(source: str, paths: list[str]) -> None:
    assert [*paths_in(source.encode())] == paths


def test_what_a_dependency_looks_for_beside_a_script_goes_in_and_is_told(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(
        {
            "main.py": "import server\nserver.run()",
            "views/index.html": "",
            "rules.yaml": "",
            "plugins/one.py": "",
            "others/x": "",
        }
    )
    source = (
        b"VIEWS = './views/'\nRULES = open('rules.yaml')\nPLUGINS = './plugins'\nNONE = './nothing'\nWORD = 'others'"
    )
    wheels = Tree({f"{SITE}/server.py": File(Inline(source)), f"{SITE}/server/tests/x.py": File(Inline(b"'./others'"))})
    app = load(folder)
    app = replace(app, looked_for=looked_for(app, LazyTree("wheels", lambda: wheels), workspace))
    own = app_tree(app, workspace)
    assert {*own.resource_names} == {"views/", "rules.yaml"}
    assert "goes in, as server.py of the dependencies looks for it: rules.yaml" in own.notes
    assert any(note.startswith("stays out, as no code names it: others") for note in own.notes)


def test_settings_that_are_called_like_the_package_that_names_them_go_in(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": "import crawl", "crawl.cfg": "[x]", "other.cfg": "", "crawl.txt": ""})
    source = b"def closest(path):\n    return path / 'crawl.cfg', path / 'other.cfg', path / 'crawl.txt'"
    app = load(folder)
    wheels = LazyTree("wheels", lambda: Tree({f"{SITE}/crawl/conf.py": File(Inline(source))}))
    app = replace(app, looked_for=looked_for(app, wheels, workspace))
    assert app_tree(app, workspace).resource_names == ("crawl.cfg",)

"""Of 40 known vulnerabilities in real packages, those in modules that tiny leaves out are told as not in the image.

``vulnerable/`` has old versions of what many programs use, and of each vulnerability the modules that its advisory, or
the change that mended it, names.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pytest

from cannery.bom.reach import assessed
from cannery.bom.vulnerabilities import read_vulnerabilities
from cannery.project.config import load
from cannery.recipes.build import build
from cannery.recipes.inventory import inventory_of
from cannery.recipes.layer_contents import contents_of_layer
from cannery.workspace.cache import Cache
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from cannery.bom.inventory import Inventory

pytestmark = [pytest.mark.once, pytest.mark.slow]

PROJECT: Final = Path(__file__).with_name("vulnerable")
KNOWN: dict[str, list[dict[str, Any]]] = json.loads((PROJECT / "known.json").read_text(encoding="utf-8"))
# It uses a part of each package, but for pip and setuptools, which are there as they so often are.
MAIN: Final = """
import aiosmtpd, dns.name, h11, mako, requests, sqlparse, wheel
from fontTools.misc import roundTools
from gunicorn import errors
from jinja2 import DictLoader, Environment
from jose import jws
from markdown_it import MarkdownIt
from oauthlib import common
from starlette.requests import Request
from werkzeug.http import parse_cookie

page = Environment(loader=DictLoader({"page": "{{ title | upper }}"}), autoescape=True).get_template("page")
print(page.render(title="known"), MarkdownIt().render("*known*").strip(), roundTools.otRound(1.5))
print(sqlparse.split("select 1; select 2"), dict(parse_cookie("a=b")), jws.sign({}, "key", algorithm="HS256"))
"""
SETTINGS: Final = """
[project]
name = "known"
version = "1"

[tool.cannery]
entry = "main.py"
requirements = "requirements.txt"
recipe = "tiny"
"""


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory, shared_cache: Path) -> tuple[Inventory, frozenset[str]]:
    """What the program's image holds, and the paths of all of its files, those in archives included."""
    folder = tmp_path_factory.mktemp("vulnerable")
    shutil.copy(PROJECT / "requirements.txt", folder)
    (folder / "main.py").write_text(MAIN, encoding="utf-8")
    (folder / "pyproject.toml").write_text(SETTINGS, encoding="utf-8")
    workspace = Workspace(Cache(shared_cache), run)
    built = build(load(folder), workspace)
    paths = (file.path for layer in built.image.layers for file in contents_of_layer(layer, workspace))
    return inventory_of(built, workspace), frozenset(paths)


def is_there(module: str, paths: frozenset[str]) -> bool:
    """Whether a file of the image is ``module``, or its package, wherever it lies."""
    place = "/" + module.replace(".", "/")
    ends = tuple(f"{place}{end}" for end in (".pyc", "/__init__.pyc", ".py", "/__init__.py"))
    return any(path.endswith(ends) or f"{place}.cpython-" in path for path in paths)


@pytest.mark.parametrize("expected", ["left_out", "kept"])
def test_all_of_them_are_told_right(image: tuple[Inventory, frozenset[str]], expected: str) -> None:
    inventory, paths = image
    records = KNOWN[expected]
    found = [*assessed(read_vulnerabilities(json.dumps(records).encode(), "known.json"), inventory)]
    assert len(found) == len(records) == 20
    told = {each.vulnerability.name: each.status for each in found}
    status = "not_affected" if expected == "left_out" else "under_investigation"
    assert told == dict.fromkeys((str(each["id"]) for each in records), status)
    modules = {module for each in found for package in each.vulnerability.affected for module in package.modules}
    assert {module: is_there(module, paths) for module in modules} == dict.fromkeys(modules, expected == "kept")
    assert not [each.evidence for each in found if "none of the affected versions" in each.evidence]

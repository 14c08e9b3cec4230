"""The reference says what the code says today."""

from __future__ import annotations

import json
import subprocess
import sys
from functools import cache

import pytest

from docs.making.reference import FOLDER, LIBRARIES, pages
from docs.making.shapes import json_page, shape
from tests.support.repository import ROOT

pytestmark = pytest.mark.once

AGAIN = "run python -m docs.making.reference"


@cache
def made_now() -> dict[str, str]:
    """The pages, made by a process of their own: Invoke takes the help out of a task that it has run in this one."""
    code = "import json; from docs.making.reference import pages; print(json.dumps(pages()))"
    done = subprocess.run([sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True)
    return dict(json.loads(done.stdout))


@pytest.mark.parametrize("name", sorted(pages()))
def test_a_page_is_what_the_code_makes_of_it(name: str) -> None:
    assert (FOLDER / name).read_text(encoding="utf-8") == made_now()[name], AGAIN


def test_there_are_no_other_pages() -> None:
    assert {path.name for path in FOLDER.glob("*.md")} == {*pages(), "json.md"}
    assert {f"{name}.md" for name in LIBRARIES} <= set(pages())


@pytest.mark.slow
def test_what_commands_print_as_json_has_the_shape_that_is_promised() -> None:
    assert (FOLDER / "json.md").read_text(encoding="utf-8").endswith(json_page()), AGAIN


def test_the_shape_of_a_document_is_its_paths_with_their_kinds() -> None:
    document = {"layers": [{"name": "a", "size": 1}, {"name": None, "size": 2}], "by": {"x": {"n": 1}, "y": {"n": 2}}}
    assert shape(document) == {
        "layers[].name": {"text", "nothing"},
        "layers[].size": {"number"},
        "by.*.n": {"number"},
    }
    assert shape({"notes": []}) == {"notes": {"list"}}
    links = {"libc.so.6": ["/a"], "own": []}  # other machines have others
    assert shape({"size": 1, "links": links}) == {"size": {"number"}, "links.*[]": {"text"}}

"""Dependencies that can't do without sources."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.trees.source_readers import caller_readers, module_readers, readers_at_import, source_readers
from tests.support.places import tree_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("source", "lines"),
    [
        ("import inspect\ndef f(x):\n    return inspect.getsource(x)", "3"),
        ("from inspect import getsourcelines\ngetsourcelines(f)", "2"),
        ("try:\n    s = getsource(f)\nexcept OSError:\n    raise ValueError('define it in a Python file')", "2"),
        ("try:\n    pass\nfinally:\n    getsource(f)", "4"),
        ("try:\n    s = getsource(f)\nexcept (OSError, TypeError):\n    s = ''", ""),
        ("try:\n    s = getsource(f)\nexcept:\n    s = ''", ""),
        ("getsourcefile(f)", ""),
        ("getsource(f", ""),
    ],
)
def test_a_package_reads_sources_where_nothing_catches_that_there_are_none(
    source: str, lines: str, workspace: Workspace
) -> None:
    files = {"/site/package/inner.py": source, "/site/package/tests/x.py": "getsource(f)", "/lib/x.py": "getsource(f)"}
    expected = {"package": f"package/inner.py:{lines}"} if lines else {}
    assert source_readers(tree_of(files), "/site", workspace) == expected
    assert source_readers(tree_of(files), "/site", workspace, ("package",)) == {}


@pytest.mark.parametrize(
    ("source", "certain"),
    [
        ("import inspect\nHASHES = {m: hash(inspect.getsource(m)) for m in MODULES}", True),
        ("class Kinds:\n    if True:\n        text = getsource(f)", True),
        ("def f(x):\n    return getsource(x)", False),
        ("f = lambda x: getsource(x)", False),
        ("try:\n    s = getsource(f)\nexcept OSError:\n    s = ''", False),
        ("if __name__ == '__main__':\n    print(getsource(f))", False),
    ],
)
def test_a_package_that_reads_sources_when_imported_can_not_be_imported_without(
    source: str, certain: bool, workspace: Workspace
) -> None:
    wheels = tree_of({"/site/package/inner.py": source})
    assert list(readers_at_import(wheels, "/site", workspace)) == (["package"] if certain else [])
    assert readers_at_import(wheels, "/site", workspace, ("package",)) == {}


@pytest.mark.parametrize(
    ("source", "line"),
    [
        ("info = inspect.getframeinfo(frame)\nline = info[3][0].strip()", "2"),
        ("line = getframeinfo(frame).code_context[0]", "1"),
        ("info = getframeinfo(frame)\nprint(info[1], info[3])", ""),
        ("rows[3][0]", ""),
    ],
)
def test_a_package_reads_the_source_of_its_callers(source: str, line: str, workspace: Workspace) -> None:
    found = caller_readers(tree_of({"/site/package/view.py": source}), "/site", workspace)
    assert found == ({"package": f"package/view.py:{line}"} if line else {})


@pytest.mark.parametrize(
    ("reader", "finder", "line"),
    [
        ("from tokenize import detect_encoding\ncoding = detect_encoding(f.readline)", "find_spec(name)", "2"),
        ("import tokenize\nwith tokenize.open(path) as f: pass", "importlib.util.find_spec(name)", "2"),
        ("from tokenize import open as open_source\nopen_source(p)", "PathFinder.find_spec(n)", "2"),
        ("import tokenize\nwith tokenize.open(path) as f: pass", "import importlib.util", ""),  # a user's file
        ("import tokenize\nwith open(path) as f: pass", "find_spec(name)", ""),
    ],
)
def test_a_package_that_asks_where_modules_lie_and_opens_sources_reads_theirs(
    reader: str, finder: str, line: str, workspace: Workspace
) -> None:
    wheels = tree_of({"/site/package/reader.py": reader, "/site/package/finder.py": finder, "/site/other.py": finder})
    expected = {"package": f"package/reader.py:{line}"} if line else {}
    assert module_readers(wheels, "/site", workspace) == expected

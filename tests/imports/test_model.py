"""A result of the analysis answers what is asked of it, and JSON holds it."""

from __future__ import annotations

import msgspec
import pytest

from cannery.imports.model import Missing, Module, Reach, Reason

pytestmark = pytest.mark.once

FOUND = Reach(
    modules={
        "a": Module("source", "dependencies", "/site/a/__init__.py", package=True, reason=Reason("main", "imported")),
        "a.b": Module("extension", "dependencies", "/site/a/b.so", reason=Reason("a", "native")),
        "main": Module("source", "app", "/app/main.py"),
        "space": Module("namespace", "dependencies", "/site/space", package=True, reason=Reason("main", "imported")),
        "sys": Module("builtin", "stdlib", reason=Reason("", "started")),
    },
    data=("/site/a/data.json",),
    missing={"gone": Missing(("main",), needed=True)},
    broken={"c": "gone"},
    left_out=("d",),
    dynamic={"main": (3,)},
)


def test_the_way_to_a_module_leads_to_the_start() -> None:
    assert FOUND.why("a.b") == (
        ("a.b", Reason("a", "native")), ("a", Reason("main", "imported")), ("main", Reason("", "started")),
    )  # fmt: skip
    assert FOUND.why("sys") == (("sys", Reason("", "started")),)
    assert FOUND.why("d") == ()


def test_its_paths_are_files_alone() -> None:
    assert FOUND.paths == {"/site/a/__init__.py", "/site/a/b.so", "/app/main.py", "/site/a/data.json"}


def test_json_holds_it() -> None:
    assert msgspec.json.decode(msgspec.json.encode(FOUND), type=Reach) == FOUND

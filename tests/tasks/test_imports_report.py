"""The report of a program's imports has words for every way that leads to a module."""

from __future__ import annotations

from typing import get_args

import pytest

from cannery.imports.model import How, Missing, Module, Reach, Reason
from cannery.tasks.report.imports import ImportsReport

pytestmark = pytest.mark.once


def report(module: str, **reasons: Reason) -> list[str]:
    modules = {name: Module("source", "dependencies", f"/{name}", reason=reason) for name, reason in reasons.items()}
    reach = Reach(modules, (), {}, {"broken": "gone"}, (), {})
    return [*ImportsReport(reach, module).lines()]


@pytest.mark.parametrize("how", get_args(How))
def test_each_reason_is_told(how: How) -> None:
    (line,) = report("a", a=Reason("", how))
    assert line.startswith("a: ")
    assert "{}" not in line


def test_a_module_that_cannot_be_imported_says_what_it_lacks_behind_what_leads_to_it() -> None:
    assert report("broken", broken=Reason("a", "imported"), a=Reason("", "started")) == [
        "broken: imported by a",
        "a: the program begins with it",
        "broken: can't be imported, as gone is missing",
    ]


def test_what_the_app_lacks_is_told_from_what_parts_of_dependencies_ask_for() -> None:
    modules = {"main": Module("source", "app", "/main"), "lib.extra": Module("source", "dependencies", "/lib/extra")}
    missing = {
        "gone": Missing(("main",), needed=True),
        "mypy.types": Missing(("lib.extra",), needed=True),
        "mypy.util": Missing(("lib.extra",), needed=True),
        "guarded": Missing(("lib.extra",), needed=False),
    }
    lines = [*ImportsReport(Reach(modules, (), missing, {}, (), {}), None).lines()][4:]
    assert lines[0] == "missing  gone, which main imports: add it to the requirements"
    assert lines[1].startswith("absent   mypy: ")
    assert len(lines) == 2

"""The report of a program's imports has words for every way that leads to a module."""

from __future__ import annotations

from typing import get_args

import pytest

from cannery.imports.model import How, Module, Reach, Reason
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

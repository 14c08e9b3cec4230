"""``cannery check`` where Docker runs the image."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from tests.support.command import cannery

if TYPE_CHECKING:
    from tests.conftest import MakeProject
    from tests.support.engine_services import Service

pytestmark = pytest.mark.once

MAIN = "import sys\nprint(sys.argv[1:])\nif '--fail' in sys.argv: raise KeyError('of its own')\n"


def test_an_engine_runs_the_image_where_one_answers(make_project: MakeProject, dockerd: Service) -> None:
    folder = make_project({"main.py": MAIN})
    found = cannery("check", "--json", "--engine=docker", "--", "a b", cwd=folder, **dockerd.environment).report
    assert found["runner"].startswith("Docker ")
    assert [each["verdict"] for each in found["answers"]] == ["same"]
    assert found["answers"][0]["image"]["output"] == "['a b']\n"
    assert cannery("check", "--engine=docker", cwd=folder, **dockerd.environment).code == 0  # its imports
    assert cannery("check", "--engine=docker", "--", "--fail", cwd=folder, **dockerd.environment).code == 12

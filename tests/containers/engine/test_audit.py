"""``cannery audit`` of an image that an engine has."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.containers.engine.conftest import cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = pytest.mark.once


def test_an_image_of_an_engine_is_read_as_its_archive_is(service: Service, project: Path) -> None:
    cannery("image", "--tag=audited", cwd=project)
    reports = [
        json.loads(cannery("audit", "--json", "--image", image, cwd=project).stdout)
        for image in ("tinned:audited", "dist/tinned.tar")
    ]
    findings = [[(each["id"], each["path"]) for each in report["findings"]] for report in reports]
    assert ("CAN102", "/app/main.pyc") in findings[0], service.kind
    assert findings[0] == findings[1]


def test_an_image_that_the_engine_does_not_have_is_looked_for_in_a_registry(service: Service, project: Path) -> None:
    done = cannery("audit", "--image", "127.0.0.1:1/nobody/has:this", cwd=project)
    assert done.returncode == 10, service.kind
    assert "the registry 127.0.0.1:1 can't be reached" in done.stderr
    assert "Traceback" not in done.stderr

"""The same app compiled and not: the audit tells them apart."""

from __future__ import annotations

import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

FILES = {
    "main.py": "from shop import pricing\nprint(pricing.rebate(100))\n",
    "shop/__init__.py": '"""A shop."""\n',
    "shop/pricing.py": "def rebate(price):\n    return price * 0.9\n",
    "pyproject.toml": "[tool.cannery]\nstrip = true\n",
}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(FILES)


def audited(project: Path, **environment: str) -> tuple[int, dict[str, Any]]:
    import os  # noqa: PLC0415

    command = [sys.executable, "-m", "cannery", "audit", "--json"]
    env = {**os.environ, **environment}
    done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False, env=env)
    assert done.stdout, done.stderr
    return done.returncode, json.loads(done.stdout)


def test_a_compiled_image_passes_and_the_same_in_bytecode_does_not(project: Path) -> None:
    code, compiled = audited(project, CANNERY_COMPILE="true")
    worse = [each for each in compiled["findings"] if each["severity"] not in {"low", "info"}]
    worst = {each["id"]: each["path"] for each in worse if not each["id"].startswith("CAN8")}  # of this machine's age
    assert (code, worst) == (0, {})
    code, plain = audited(project)
    assert code == 9
    assert [each["path"] for each in plain["findings"] if each["id"] == "CAN102"] == [
        "/app/main.pyc", "/app/shop/__init__.pyc", "/app/shop/pricing.pyc",
    ]  # fmt: skip

"""``cannery diff``: of archives, layouts and a registry's images."""

from __future__ import annotations

import json
import shutil
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]


def test_an_image_is_compared_wherever_it_lies(make_project: MakeProject, registry: Registry, tmp_path: Path) -> None:
    project = make_project({"main.py": "print('hello')\n"})
    assert cannery("image", cwd=project).code == 0
    before = tmp_path / "before.tar"
    shutil.copy(next((project / "dist").glob("*.tar")), before)
    pushed = cannery("push", "--json", "--", f"{registry.address}/team/compared:1", cwd=project).report
    reference = pushed["pushed"][0]["reference"]
    assert cannery("diff", str(before), reference, cwd=tmp_path).code == 0

    (project / "main.py").write_text("print('hullo')\n")
    assert cannery("image", cwd=project).code == 0
    after = next((project / "dist").glob("*.tar"))
    told = cannery("diff", reference, str(after), cwd=tmp_path)
    assert told.code == 14
    assert "bytecode of main: what it says of its source and its code" in told.stdout
    assert "are not the same image" in told.stderr

    found = json.loads(cannery("diff", "--json", reference, str(after), cwd=tmp_path).stdout)
    assert not found["same"]
    assert [file["path"] for file in found["images"][0]["files"]] == ["/app/main.pyc"]
    assert {layer["name"]: layer["how"] for layer in found["images"][0]["layers"]} == {
        "runtime": "same", "app": "changed", "sbom": "same",
    }  # fmt: skip


def test_what_is_no_image_is_one_message(tmp_path: Path) -> None:
    (tmp_path / "text").write_text("no image")
    assert "there is no image at ./none" in assert_refused(cannery("diff", "./none", "./none", cwd=tmp_path), 8)
    assert_refused(cannery("diff", "text", "text", cwd=tmp_path), 8)
    assert "diff needs AFTER" in assert_refused(cannery("diff", "text", cwd=tmp_path), 2)
    assert "AFTER" in cannery("diff", "--help", cwd=tmp_path).stdout.upper()

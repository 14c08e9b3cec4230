"""Manifests that name projects: which they are, and what stays as it was."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.manifests import Manifest, joined, manifests_at

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

TEXT = """\
# cannery://in/a/comment
it's: a   # cannery://behind an apostrophe
image: cannery://services/api\t# cannery://b
other: "cannery://# no comment"
args: ['--image=cannery://jobs/report', cannery://services/api]
both: "a # b" # cannery://c
json: {"image":"cannery://web"}\r
"""


def test_projects_are_found_outside_comments_and_all_else_stays() -> None:
    manifest = Manifest("m", TEXT)
    found = [(each.path, each.place) for each in manifest.projects()]
    assert found == [
        ("services/api", "m:3"),
        ("#", "m:4"),
        ("jobs/report", "m:5"),
        ("services/api", "m:5"),
        ("web", "m:7"),
    ]
    resolved = manifest.resolved({path: f"<{path}>" for path, _ in found})
    expected = TEXT
    for old in ("services/api\t", '# no comment"', "jobs/report'", "services/api]", 'web"'):
        name = old.rstrip("\t'\"]").removesuffix(" no comment")
        expected = expected.replace(f"cannery://{old}", f"<{name}>{old.removeprefix(name)}")
    assert resolved == expected


def test_several_manifests_are_documents_of_one() -> None:
    assert joined(["a: 1"]) == "a: 1\n"
    assert joined(["a: 1\n", "---\nb: 2", "c: 3\n"]) == "a: 1\n---\nb: 2\n---\nc: 3\n"


def test_folders_files_and_standard_input(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("b.yaml", "a.yml", "c.json", "notes.md", "below/d.yaml"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(name)
    assert [each.text for each in manifests_at([str(tmp_path)])] == ["a.yml", "b.yaml", "c.json"]
    assert len(manifests_at([str(tmp_path)], recursive=True)) == 4
    monkeypatch.setattr("sys.stdin", io.StringIO("x: 1\n"))
    (found,) = manifests_at(["-"])
    assert found == Manifest("standard input", "x: 1\n")


def test_what_is_no_manifest_is_refused(tmp_path: Path) -> None:
    (tmp_path / "x.yaml").write_bytes(b"\xff")
    (tmp_path / "empty").mkdir()
    wrong = {"nothing": "there is no file", "empty": "there is no manifest in", "x.yaml": "no text in UTF-8"}
    for path, told in wrong.items():
        with pytest.raises(ConfigurationError, match=told):
            manifests_at([str(tmp_path / path)])

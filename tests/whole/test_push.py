"""``cannery push``, to a real registry, judged by skopeo."""

from __future__ import annotations

import json
import subprocess
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project({"main.py": "print('hello')\n"})


def inspected(reference: str) -> dict[str, Any]:
    command = ["skopeo", "inspect", "--tls-verify=false", f"docker://{reference}"]
    found: dict[str, Any] = json.loads(subprocess.run(command, capture_output=True, check=True).stdout)
    return found


def test_the_image_is_there_under_each_tag_and_the_last_line_is_its_reference(
    project: Path, registry: Registry, tmp_path: Path
) -> None:
    repository = f"{registry.address}/team/shop"
    settings = f'[tool.cannery]\nrepository = "{repository}"\ntags = ["latest", "1.0"]\n'
    (project / "pyproject.toml").write_text(settings)
    done = cannery("push", "--image-refs", str(tmp_path / "refs"), cwd=project)
    assert done.code == 0, done.stderr
    reference = done.stdout.splitlines()[-1]
    assert reference == f"{repository}@{inspected(f'{repository}:1.0')['Digest']}"
    assert (tmp_path / "refs").read_text() == f"{reference}\n"
    tags = {tag for tag in inspected(reference)["RepoTags"] if not tag.startswith("cannery-cache-")}
    assert tags == {"latest", "1.0"}
    assert not (project / "dist").exists()

    (project / "main.py").write_text("print('bye')\n")
    changed = cannery("push", "--json", "--", f"{repository}:2.0", cwd=project).report["pushed"][0]
    assert {blob["name"] for blob in changed["blobs"] if blob["state"] == "sent"} == {"app", "configuration"}
    assert changed["bytes_sent"] < 20_000


def test_nothing_is_sent_by_a_dry_run(project: Path, registry: Registry) -> None:
    report = cannery("push", "--dry-run", "--json", "--", f"{registry.address}/team/dry:1", cwd=project).report
    assert report["dry_run"]
    assert report["pushed"][0]["bytes_sent"] > 10**6
    assert not (registry.data / "docker/registry/v2/repositories/team/dry").exists()


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        ((), 2, "nothing says where to push the image"),
        (("--", "Not/A:Name"), 2, "'Not/A:Name' is no name of an image"),
        (("--", f"127.0.0.1/x@sha256:{'0' * 64}"), 2, "names a digest, and a push makes one"),
        (("--repository", "127.0.0.1:1/x"), 10, "the registry 127.0.0.1:1 can't be reached"),
        (("--repository", "127.0.0.1/x:1"), 2, "must be a repository of a registry, without a tag"),
    ],
)
def test_a_push_that_cannot_be_is_one_message(project: Path, words: tuple[str, ...], code: int, told: str) -> None:
    assert told in assert_refused(cannery("push", *words, cwd=project), code)

"""``cannery resolve``: projects in manifests become references of images that a registry has."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

MANIFEST = """\
# deployed by cannery://nobody
spec:
  - image: cannery://services/api  # the service
  - image: cannery://./services/api
  - image: cannery://services/worker
"""


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    return make_project(
        {
            "k8s/all.yaml": MANIFEST,
            "services/api/main.py": "print('api')\n",
            "services/worker/main.py": "print('worker')\n",
            "services/worker/pyproject.toml": '[tool.cannery]\nname = "jobs/worker"\n',
        }
    )


def test_each_project_is_pushed_once_and_named_by_its_digest(folder: Path) -> None:
    with serving(AwkwardRegistry()) as registry:
        words = ("resolve", "-f", "k8s", "--registry", f"{registry.address}/team")
        dry = cannery(*words, "--dry-run", cwd=folder)
        assert dry.code == 0, dry.stderr
        assert registry.manifests == {}
        done = cannery(*words, "--image-refs", "refs", cwd=folder)
    assert done.code == 0, done.stderr
    assert done.stdout == dry.stdout
    found = re.findall(rf"{registry.address}/(\S+)@(sha256:\w+)", done.stdout)
    assert [name for name, _ in found] == ["team/api", "team/api", "team/jobs/worker"]
    assert all(digest in registry.manifests[name] for name, digest in found)
    assert registry.is_whole("team/api", "latest")
    assert re.sub(rf"{registry.address}/\S+", "X", done.stdout) == re.sub(r"(?<=image: )cannery://\S+", "X", MANIFEST)
    assert len((folder / "refs").read_text().splitlines()) == 2


@pytest.mark.parametrize(
    ("words", "told"),
    [
        ((), "no manifest is named"),
        (("-f", "k8s"), "nothing says where to push services/"),
        (("-f", "k8s", "--project", "k8s", "--registry", "127.0.0.1:1/x"), "k8s/all.yaml:3 names it, and "),
    ],
)
def test_nothing_is_printed_where_something_is_wrong(folder: Path, words: tuple[str, ...], told: str) -> None:
    done = cannery("resolve", *words, cwd=folder)
    assert told in assert_refused(done, 2)
    assert done.stdout == ""

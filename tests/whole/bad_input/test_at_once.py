"""Builds at the same time, over one cache."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import assert_whole, cannery, image_digest, read_until, started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

FILES = {"main.py": "import tin\n", "requirements.txt": "tin\n"}


def built_at_once(projects: Sequence[Path], cache: Path) -> list[Any]:
    """The reports of builds that were started together."""
    running = [started(project, "--json", CANNERY_CACHE=str(cache)) for project in projects]
    ended = [(process.communicate(), process.returncode) for process in running]
    assert [code for _, code in ended] == [0] * len(projects), ended
    return [json.loads(stdout) for (stdout, _), _ in ended]


def test_one_project_twice(make_project: MakeProject, cache: Path) -> None:
    project = make_project(FILES)
    first, second = built_at_once([project, project], cache)
    assert first["digest"] == second["digest"] == image_digest(project, CANNERY_CACHE=str(cache))
    assert_whole(project, cache)


def test_two_projects_that_share_layers(make_project: MakeProject, cache: Path) -> None:
    projects = [
        make_project(FILES, folder="one"),
        make_project({**FILES, "main.py": "import tin, json\n"}, folder="two"),
    ]
    reports = built_at_once(projects, cache)
    runtimes = [{layer["name"]: layer for layer in report["layers"]}["runtime"] for report in reports]
    assert runtimes[0]["digest"] == runtimes[1]["digest"]
    assert sorted(runtime["packed"] for runtime in runtimes) == [False, True], "one waits for the other's"
    assert len({report["digest"] for report in reports}) == 2
    for project, report in zip(projects, reports, strict=True):
        assert image_digest(project, CANNERY_CACHE=str(cache)) == report["digest"]
        assert_whole(project, cache)


def test_an_archive_that_another_build_replaced_is_written_again(make_project: MakeProject, warm: Path) -> None:
    one, two = (
        make_project({"main.py": "one = 1\n"}, folder="one"),
        make_project({"main.py": "two = 2\n"}, folder="two"),
    )
    output = one.parent / "image.tar"
    for project in (one, two, one):
        report = cannery("image", "--json", "--output", str(output), cwd=project, CANNERY_CACHE=str(warm)).report
        assert report["digest"].removeprefix("sha256:").encode() in output.read_bytes()


def test_a_build_that_waits_for_another_says_so_and_takes_its_layer(make_project: MakeProject, cache: Path) -> None:
    project = make_project(FILES)
    with started(project, CANNERY_CACHE=str(cache)) as first:
        read_until(first, "packing runtime")
        first.send_signal(signal.SIGSTOP)
        with started(project, CANNERY_CACHE=str(cache)) as second:
            read_until(second, "waiting for another build")
            first.send_signal(signal.SIGCONT)
            assert [process.wait() for process in (first, second)] == [0, 0]
            assert second.stderr is not None
            assert "packing runtime" not in second.stderr.read()
    assert_whole(project, cache)

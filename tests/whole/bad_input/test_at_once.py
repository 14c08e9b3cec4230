"""Builds at the same time, over one cache."""

from __future__ import annotations

import json
import os
import signal
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from cannery import __version__
from tests.support.command import assert_whole, cannery, image_digest, read_until, started

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.whole.bad_input.conftest import NewCache

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


def age(cache: Path) -> None:
    """Have everything in the cache look as if nobody had used it since yesterday."""
    for path in [*cache.rglob("*")]:
        os.utime(path, (1, 1), follow_symlinks=False)


def prune(project: Path, cache: Path) -> None:
    done = cannery("prune", "--yes", "--only", "cache", "--keep", "0", cwd=project, CANNERY_CACHE=str(cache))
    assert done.code == 0, done


@pytest.mark.parametrize("step", ["making bytecode", "packing runtime", "packing app"])
def test_a_prune_beside_a_build_leaves_what_the_build_uses(
    make_project: MakeProject, new_cache: NewCache, tmp_path: Path, step: str
) -> None:
    project, cache = make_project(FILES), new_cache(tmp_path / "cache")
    age(cache)
    with started(project, CANNERY_CACHE=str(cache)) as build:
        read_until(build, step)
        build.send_signal(signal.SIGSTOP)
        prune(project, cache)
        build.send_signal(signal.SIGCONT)
        assert build.wait() == 0, build.stderr and build.stderr.read()
    assert_whole(project, cache)


def test_two_prunes_at_once_remove_all_that_is_old(
    make_project: MakeProject, new_cache: NewCache, tmp_path: Path
) -> None:
    project, cache = make_project(FILES), new_cache(tmp_path / "cache", layers=True)
    age(cache)
    with ThreadPoolExecutor() as pool:
        list(pool.map(lambda _: prune(project, cache), range(2)))
    assert not [path for path in (cache / __version__).rglob("*") if path.is_file() and "locks" not in path.parts]
    image_digest(project, CANNERY_CACHE=str(cache))


def test_a_build_holds_the_cache_to_its_size(make_project: MakeProject, new_cache: NewCache, tmp_path: Path) -> None:
    project, cache = make_project(FILES), new_cache(tmp_path / "cache", layers=True)
    age(cache)
    settings = {"CANNERY_CACHE": str(cache), "CANNERY_CACHE_SIZE": "1MB"}
    image_digest(project, **settings)
    old = [path for path in (cache / __version__).rglob("*") if path.is_file() and path.stat().st_mtime < 2]
    assert old == []
    assert_whole(project, cache)
    again = cannery("image", "--json", cwd=project, **settings).report
    assert not any(layer["packed"] for layer in again["layers"])


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

"""Standard streams: closed early, closed from the start, and never mixed."""

from __future__ import annotations

import json
import os
import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.command import COMMAND, assert_refused, assert_whole, cannery, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.conftest import MakeProject


@pytest.fixture
def unread() -> Iterator[int]:
    """A pipe that nobody reads."""
    reader, writer = os.pipe()
    os.close(reader)
    yield writer
    os.close(writer)


@pytest.mark.parametrize("flag", ["--json", "--recipe=scratch"])
def test_output_that_nobody_reads_is_no_traceback(make_project: MakeProject, unread: int, flag: str) -> None:
    folder = make_project({"main.py": ""})
    outcome = finished([*COMMAND, "image", flag], cwd=folder, stdout=unread)
    assert outcome.code in {1, 141}
    assert all(line.endswith(" …") for line in outcome.stderr.splitlines())
    assert_whole(folder)


def test_a_reader_that_has_seen_enough_ends_nothing(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    done = subprocess.run(
        ["sh", "-c", '"$@" | head -1', "sh", *COMMAND, "image"], cwd=folder, capture_output=True, text=True, check=True
    )
    assert done.stdout.startswith("project:latest")
    assert "Traceback" not in done.stderr
    assert_whole(folder)


def test_progress_that_nobody_reads_does_not_end_the_build(make_project: MakeProject, unread: int) -> None:
    folder = make_project({"main.py": ""})
    outcome = finished([*COMMAND, "image", "--recipe=scratch"], cwd=folder, stderr=unread)
    assert outcome.code == 0
    assert "digest" in outcome.stdout
    assert_whole(folder)


def test_a_message_that_nobody_reads_has_its_exit_code_all_the_same(make_project: MakeProject, unread: int) -> None:
    assert finished([*COMMAND, "image"], cwd=make_project({}), stderr=unread).code == 3


@pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-"])
def test_streams_may_be_closed_from_the_start(make_project: MakeProject, closed: str) -> None:
    folder = make_project({"main.py": ""})
    outcome = finished(["sh", "-c", f'"$@" {closed}', "sh", *COMMAND, "image"], cwd=folder)
    assert outcome.code == 0, outcome
    assert "Traceback" not in outcome.stderr
    assert_whole(folder)


def test_a_message_has_its_exit_code_where_every_stream_is_closed(make_project: MakeProject) -> None:
    assert finished(["sh", "-c", '"$@" <&- >&- 2>&-', "sh", *COMMAND, "image"], cwd=make_project({})).code == 3


def test_an_error_leaves_standard_output_to_json(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    assert_refused(cannery("image", "--json", "--tag", "no tag", cwd=folder), 2)
    done = cannery("image", "--json", cwd=folder)
    assert json.loads(done.stdout)["archive"] == str(folder / "dist" / "project.tar")
    assert done.stderr == ""

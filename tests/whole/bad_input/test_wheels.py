"""Requirements that can't be had: uv's own words, what they mean, and nothing half-installed."""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, assert_whole, cannery, image_digest
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

ZEROS = f"--hash=sha256:{'0' * 64}"


@pytest.mark.parametrize(
    ("requirement", "told", "step"),
    [
        ("alien", "`win_amd64`", "take a version that has a wheel for this platform"),
        ("ore==1.0 " + ZEROS, "no usable wheels", "take a version that has a wheel for this platform"),
        ("tin==1.0 " + ZEROS, "Hash mismatch for `tin==1.0`", "find out why before you lock again"),
        ("tin==9", "no version of tin==9", "check the requirement's name and version"),
        ("gone", "gone was not found", "check the network and the package index"),
        ("./gone.whl", "gone.whl", "correct requirements.txt"),
        ("-r gone.txt", "gone.txt", "correct the name"),
    ],
    ids=lambda value: value.replace(ZEROS, "hashed"),
)
def test_a_requirement_that_cannot_be_had_is_refused(
    make_project: MakeProject, tmp_path: Path, requirement: str, told: str, step: str
) -> None:
    cache = tmp_path / "cache"
    folder = make_project({"main.py": "import tin", "requirements.txt": f"{requirement}\n"})
    message = assert_refused(cannery("image", cwd=folder, CANNERY_CACHE=str(cache)), 4)
    assert told in message
    assert step in message.splitlines()[-1]
    assert not (folder / "dist").exists()
    assert_whole(folder, cache)


def test_a_wheel_that_leaves_its_folder_is_refused_each_time(make_project: MakeProject, tmp_path: Path) -> None:
    index = tmp_path / "index"
    index.mkdir()
    make_wheel(index, "sly", files={"../../outside.py": b"", "sly_data/x": b""})
    folder = make_project({"main.py": "import sly", "requirements.txt": "sly\n"})
    settings = {**only_from(index), "CANNERY_CACHE": str(tmp_path / "cache"), "UV_CACHE_DIR": str(tmp_path / "uv")}
    for _ in range(2):
        message = assert_refused(cannery("image", cwd=folder, **settings), 4)
        assert "holds '../../outside.py', which leaves the folder" in message
    assert not list(tmp_path.rglob("outside.py"))


def test_a_wheel_with_the_name_of_a_whiteout_is_refused(make_project: MakeProject, tmp_path: Path) -> None:
    make_wheel(tmp_path, "hiding", files={"hiding_data/.wh.tin.py": b""})
    folder = make_project({"main.py": "import hiding", "requirements.txt": "hiding\n"})
    message = assert_refused(cannery("image", cwd=folder, **only_from(tmp_path)), 4)
    assert "'.wh.tin.py'" in message


def test_the_build_after_a_refusal_is_right(make_project: MakeProject, index: Path, cache: Path) -> None:
    (wheel,) = index.glob("tin-*")
    right = f"tin==1.0 --hash=sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"
    folder = make_project({"main.py": "import tin", "requirements.txt": f"tin==1.0 {ZEROS}"})
    assert_refused(cannery("image", cwd=folder, CANNERY_CACHE=str(cache)), 4)
    make_project({"requirements.txt": right})
    first = image_digest(folder, CANNERY_CACHE=str(cache))
    assert image_digest(folder, CANNERY_CACHE=str(cache)) == first
    assert_whole(folder, cache)


@pytest.mark.parametrize("requirement", ["tin", f"tin==1.0 {ZEROS}"], ids=["unlocked", "locked"])
def test_with_no_network_the_index_is_named(make_project: MakeProject, tmp_path: Path, requirement: str) -> None:
    folder = make_project({"main.py": "import tin", "requirements.txt": requirement})
    index = "http://user:open-sesame@127.0.0.1:9/simple"  # the port of discard: nobody answers there
    alone = {"UV_NO_INDEX": None, "UV_OFFLINE": None, "UV_FIND_LINKS": None, "UV_HTTP_RETRIES": "0"}
    outcome = cannery(
        "image",
        cwd=folder,
        CANNERY_CACHE=str(tmp_path),
        UV_CACHE_DIR=str(tmp_path / "uv"),
        UV_DEFAULT_INDEX=index,
        **alone,
    )
    message = assert_refused(outcome, 4)
    assert "http://127.0.0.1:9/simple/tin/" in message
    assert "Next: check the network and the package index (UV_DEFAULT_INDEX" in message
    assert "open-sesame" not in message


def test_a_password_in_a_requirement_is_not_shown(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "requirements.txt": "tin @ http://user:open-sesame@@@/tin.whl"})
    assert "open-sesame" not in assert_refused(cannery("image", cwd=folder), 4)

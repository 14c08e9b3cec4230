"""What a container is given of the host."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.containers.sandbox.container import Volume
from tests.support.sandbox_programs import program

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.sandbox_callers import Caller


@pytest.mark.parametrize("read_only", [True, False])
def test_a_volume_shows_a_folder_of_the_host(caller: Caller, host_root: Path, shared: Path, *, read_only: bool) -> None:
    volumes = (Volume(shared, "/srv", read_only=read_only),)
    ended = caller.run(program(host_root, "sh", "-c", "cat /srv/file; echo new > /srv/new", volumes=volumes))

    assert ended.stdout == "from the host\n"
    assert (ended.code != 0, (shared / "new").exists()) == (read_only, not read_only)


def test_a_volume_may_lie_behind_a_link_of_the_image(caller: Caller, host_root: Path, shared: Path) -> None:
    volumes = (Volume(shared, "/shortcut", read_only=False),)
    ended = caller.run(program(host_root, "sh", "-c", "echo new > /srv/new", volumes=volumes))

    assert (ended.code, (shared / "new").read_text()) == (0, "new\n")


def test_a_volume_may_be_a_file(caller: Caller, host_root: Path, shared: Path) -> None:
    volumes = (Volume(shared / "file", "/etc/volume"),)

    assert caller.run(program(host_root, "cat", "/etc/volume", volumes=volumes)).stdout == "from the host\n"


def test_a_volume_with_an_odd_name_is_sealed_too(caller: Caller, host_root: Path, shared: Path) -> None:
    odd = shared / "a b\\c\nd"
    odd.mkdir()
    odd.chmod(0o777)
    volumes = (Volume(shared, "/srv"), Volume(odd, f"/srv/{odd.name}"))
    ended = caller.run(program(host_root, "sh", "-c", "echo x > '/srv/a b\\c\nd/x'", volumes=volumes))

    assert ended.code != 0
    assert not [*odd.iterdir()]


def test_a_volume_of_the_image_is_writable_for_its_user_and_forgotten(caller: Caller, host_root: Path) -> None:
    write = program(host_root, "sh", "-c", "echo x > /srv/file && cat /srv/*", scratch=("/srv",))

    assert [caller.run(write).stdout for _ in range(2)] == ["x\n", "x\n"]

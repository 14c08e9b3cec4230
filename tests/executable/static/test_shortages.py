"""Too little memory, a full disk: one message, nothing half-written, and a build that is right once there is room."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from cannery.errors import MORE_MEMORY
from tests.support.command import assert_refused, environment, finished
from tests.support.machine import own_machine

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.executable.static.conftest import Probe
    from tests.support.machine import Machine

pytestmark = pytest.mark.once

ROOM = "1g"
RAISE = 'Next: raise the limit of the size of files (ulimit -f), or build it with  packing = "none"\n'


@pytest.fixture
def machine() -> Iterator[Machine]:
    with own_machine() as machine:
        yield machine


def used(disk: Path) -> int:
    """How many bytes of a disk are taken."""
    status = os.statvfs(disk)
    return (status.f_blocks - status.f_bfree) * status.f_frsize


@pytest.mark.parametrize(
    ("limit", "message"),
    [
        ("--as=9000000", "mmap: Out of memory\nNext: give it more memory\n"),
        ("--fsize=2000000", f"memory: File too large\n{RAISE}"),
    ],
    ids=["address space", "size of files"],
)
def test_a_program_that_has_no_room_to_unpack_itself_says_so(
    probe: Probe, tmp_path: Path, limit: str, message: str
) -> None:
    command = ["prlimit", limit, str(probe.program(tmp_path)), "where"]
    refused = subprocess.run(command, capture_output=True, text=True, check=False)
    assert refused.returncode == 71
    assert refused.stderr == f"error: this program can't be unpacked into memory: {message}"


def test_a_build_in_too_little_memory_is_one_message(make_probe: Probe) -> None:
    (make_probe.project / "probe/cli.py").write_text("def main() -> None: ...\n")  # nothing was made of it yet
    command = ["prlimit", "--as=100000000", sys.executable, "-m", "cannery", "image", "--recipe=static"]
    done = finished(command, cwd=make_probe.project, env=environment(dict(make_probe.environment)))
    assert assert_refused(done, 6).splitlines()[-1] == f"Next: {MORE_MEMORY}"
    assert not (make_probe.project / "dist").exists()


def test_a_full_disk_is_one_message_and_what_is_built_after_it_is_right(
    machine: Machine, probe: Probe, make_probe: Probe, tmp_path: Path
) -> None:
    cache = tmp_path / "cache"
    cache.mkdir()
    settings = {**make_probe.environment, "CANNERY_CACHE": str(cache), "ZIG_GLOBAL_CACHE_DIR": ""}

    def build(size: str) -> str:
        machine.small_disk(cache, size)
        done = machine.cannery("image", "--recipe=static", "--engine=none", cwd=make_probe.project, **settings)
        assert not (make_probe.project / "dist").exists()
        return assert_refused(done, 6)

    assert "kits/" in build("20m")  # there isn't room for the kit
    assert not list(machine.path(cache).rglob("kits/*"))
    build(str(used(machine.path(cache)) + 72_000_000))  # nor for what the compiler needs
    message = build(str(used(machine.path(cache)) + 6_000_000))
    assert message.splitlines()[1:] == [
        "  No space left on device",
        "Next: free some space there, or point elsewhere (--output, CANNERY_CACHE)",
    ]
    machine.small_disk(cache, ROOM)
    done = machine.cannery("image", "--recipe=static", "--engine=none", cwd=make_probe.project, **settings)
    assert done.code == 0, done.stderr
    assert (make_probe.project / "dist/probe.tar").read_bytes() == (probe.project / "dist/probe.tar").read_bytes()


def test_no_room_for_the_executable(machine: Machine, probe: Probe, make_probe: Probe) -> None:
    dist = make_probe.project / "dist"
    dist.mkdir()
    machine.small_disk(dist, "1m")
    done = machine.cannery("freeze", "--recipe=static", cwd=make_probe.project, **probe.environment)
    message = assert_refused(done, 6)
    assert message.startswith(f"cannot write {dist}/probe-static\n  No space left on device\n")
    assert not list(machine.path(dist).iterdir())

"""What a container's program may do: nothing that isn't its own business."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.sandbox_callers import Caller
from tests.support.sandbox_programs import IMAGE_USER, program, script, seen


def test_the_program_is_the_images_user(caller: Caller, host_root: Path) -> None:
    look = "import json, os; print(json.dumps([os.getresuid(), os.getresgid()]))"

    assert seen(caller, script(host_root, look)) == [[IMAGE_USER] * 3] * 2


def test_the_supplementary_groups_of_root_are_left_behind(host_root: Path) -> None:
    if os.geteuid() != 0:
        pytest.skip("only root may drop groups")
    look = script(host_root, "import os; print(os.getgroups())")

    assert Caller(None).run(look, before=lambda: os.setgroups([10, 20])).stdout == "[]\n"


@pytest.mark.parametrize("uid", [0, IMAGE_USER])
def test_no_capability_is_left_and_none_can_be_gained(caller: Caller, host_root: Path, uid: int) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/self/status", uid=uid))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())

    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )
    assert status["NoNewPrivs"] == "1"


def test_the_program_sees_no_process_but_its_own(caller: Caller, host_root: Path) -> None:
    look = """
        import json, os
        print(json.dumps([os.getpid(), os.getppid(), [name for name in os.listdir("/proc") if name.isdigit()]]))
    """
    assert seen(caller, script(host_root, look)) == [2, 1, ["1", "2"]]


def test_the_environment_of_the_host_cannot_be_read_from_process_1(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/1/environ"))

    assert (ended.code, ended.stdout) == (1, "")


def test_every_namespace_is_the_containers_own_but_that_of_the_network(caller: Caller, host_root: Path) -> None:
    kinds = ["ipc", "mnt", "net", "pid", "user", "uts"]
    look = f"import json, os; print(json.dumps([os.readlink('/proc/self/ns/' + kind) for kind in {kinds}]))"
    host = [str(Path("/proc/self/ns", kind).readlink()) for kind in kinds]
    container = seen(caller, script(host_root, look))

    assert [kind for kind, one, other in zip(kinds, host, container, strict=True) if one == other] == ["net"]


def test_a_program_that_is_root_cannot_change_the_machines_settings(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "sh", "-c", "echo x > /proc/sys/kernel/core_pattern", uid=0, gid=0))

    assert ended.code != 0
    assert "Read-only file system" in ended.stderr


def test_process_1_has_no_capability_either(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/1/status", uid=0))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())

    assert not any(int(value, 16) for name, value in status.items() if name.startswith("Cap"))


def test_what_speaks_of_the_whole_machine_is_hidden(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/keys", "/proc/timer_list", uid=0, gid=0))

    assert (ended.code, ended.stdout) == (0, "")

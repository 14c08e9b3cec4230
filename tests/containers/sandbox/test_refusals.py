"""Machines that are in the way of containers, made so for real."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from cannery.containers.sandbox.syscalls import (
    CLONE_NEWNS,
    CLONE_NEWUSER,
    MS_BIND,
    MS_NODEV,
    MS_NOSUID,
    MS_REC,
    MS_REMOUNT,
    mount,
    unshare,
)
from tests.support.sandbox_callers import Caller
from tests.support.sandbox_programs import program


def in_a_user_namespace() -> None:
    """Make this process root of a user namespace with no other user, as it would be in a container."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path("/proc/self", name).write_text(text)


def test_it_runs_within_a_user_namespace(caller: Caller, host_root: Path) -> None:
    assert caller.run(program(host_root, "sh", "-c", "exit 5"), before=in_a_user_namespace).code == 5


@pytest.mark.parametrize("kind", ["user", "mnt", "pid", "ipc", "uts"])
def test_forbidden_namespaces_are_an_error_that_names_the_setting(caller: Caller, host_root: Path, kind: str) -> None:
    def forbid() -> None:
        in_a_user_namespace()
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")

    ended = caller.run(program(host_root, "true"), before=forbid)
    assert ended.code == 6
    assert ended.stderr == (
        "this machine refuses to start a container\n"
        "  unshare: No space left on device\n"
        f"  user.max_{kind}_namespaces = 0\n"
        f"Next: sudo sysctl -w user.max_{kind}_namespaces=15000; or run the image with Docker or Podman"
    )


def test_a_proc_that_the_machine_refuses_is_the_hosts(caller: Caller, host_root: Path) -> None:
    def hide_part_of_proc() -> None:
        in_a_user_namespace()
        for line in Path("/proc/self/mountinfo").read_text().splitlines():
            if " - proc " in line:
                mount("tmpfs", f"{line.split()[4]}/sys", "tmpfs")

    ended = caller.run(program(host_root, "cat", "/proc/self/comm"), before=hide_part_of_proc)
    assert (ended.code, ended.stdout) == (0, "cat\n")


def test_flags_that_a_user_namespace_may_not_take_away_are_kept(caller: Caller, host_root: Path) -> None:
    def lock_flags() -> None:
        in_a_user_namespace()
        root = str(host_root)
        mount(root, root, flags=MS_BIND | MS_REC)
        mount("", root, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV)

    ended = caller.run(
        program(host_root, "sh", "-c", "while read line; do echo $line; done < /proc/mounts"), before=lock_flags
    )
    assert ended.code == 0, ended.stderr
    assert [line.split()[3].split(",")[:3] for line in ended.stdout.splitlines() if line.split()[1] == "/"] == [
        ["ro", "nosuid", "nodev"]
    ]


def test_a_file_system_that_executes_nothing_is_named(host_root: Path) -> None:
    MS_NOEXEC = 8  # noqa: N806  # its name in mount(2)

    def forbid_execution() -> None:
        in_a_user_namespace()
        root = str(host_root)
        mount(root, root, flags=MS_BIND | MS_REC)
        mount("", root, flags=MS_BIND | MS_REMOUNT | MS_NOEXEC)

    ended = Caller(None).run(program(host_root, "/bin/true"), before=forbid_execution)
    assert ended.code == 6
    assert f"nothing may be executed below {host_root}" in ended.stderr

"""What the runner works out before it does anything: ID maps, mount points, obstacles."""

from __future__ import annotations

import os

import pytest

from cannery.containers.sandbox.mounts import MountPoint, mount_points
from cannery.containers.sandbox.privileges import Range, id_maps, may_map_others, ranges
from cannery.containers.sandbox.refusal import obstacles
from cannery.containers.sandbox.syscalls import MS_NODEV, MS_NOEXEC, MS_NOSUID, MS_RDONLY

EVERY_ID = (Range(0, 0, 4294967295),)


def test_a_map_is_read_line_by_line() -> None:
    assert ranges("         0       1000          1\n         1     100000      65536\n") == (
        Range(0, 1000, 1),
        Range(1, 100000, 65536),
    )


def test_root_maps_every_id_to_itself() -> None:
    maps = id_maps(65535, 65535, own=(EVERY_ID, EVERY_ID), privileged=True)

    assert maps == (EVERY_ID, EVERY_ID, True, EVERY_ID)


def test_root_of_a_namespace_maps_the_ids_that_it_has() -> None:
    own = ranges("0 1000 1\n1 100000 65536\n")
    maps = id_maps(65535, 0, own=(own, own), privileged=True)

    assert maps.uids == (Range(0, 0, 1), Range(1, 1, 65536))


@pytest.mark.parametrize(
    ("own", "privileged"),
    [(EVERY_ID, False), ((Range(0, 1000, 1),), True), ((Range(0, 0, 65535),), True)],
    ids=["ordinary user", "root of a namespace with one user", "one ID short"],
)
def test_who_cannot_map_the_images_user_lends_it_their_own_id(own: tuple[Range, ...], *, privileged: bool) -> None:
    maps = id_maps(65535, 65534, own=(own, own), privileged=privileged)

    assert maps == ((Range(65535, os.geteuid(), 1),), (Range(65534, os.getegid(), 1),), False, own)


@pytest.mark.parametrize(
    ("effective", "expected"), [("000001ffffffffff", True), ("00000000000000c0", True), ("0000000000000080", False)]
)
def test_mapping_others_takes_two_capabilities(effective: str, *, expected: bool) -> None:
    assert may_map_others(f"Name:\tpython\nCapPrm:\t0000000000000000\nCapEff:\t{effective}\n") is expected


def test_a_mount_point_has_its_name_and_its_flags() -> None:
    text = (
        "22 27 0:21 / /proc rw,nosuid,nodev,noexec,relatime - proc proc rw\n"
        "28 27 0:25 / /a\\040b\\134040\\012c ro,noatime shared:1 - ext4 /dev/vda rw,errors=remount-ro\n"
    )
    assert [*mount_points(text)] == [
        MountPoint("/proc", MS_NOSUID | MS_NODEV | MS_NOEXEC),
        MountPoint("/a b\\040\nc", MS_RDONLY),
    ]


@pytest.mark.parametrize(
    ("path", "text", "command"),
    [
        ("/proc/sys/user/max_user_namespaces", "0", "sudo sysctl -w user.max_user_namespaces=15000"),
        ("/proc/sys/kernel/unprivileged_userns_clone", "0", "sudo sysctl -w kernel.unprivileged_userns_clone=1"),
        (
            "/proc/sys/kernel/apparmor_restrict_unprivileged_userns",
            "1",
            "sudo sysctl -w kernel.apparmor_restrict_unprivileged_userns=0",
        ),
        (
            "/proc/self/status",
            "Name:\tx\nSeccomp:\t2\n",
            "start the container around with --security-opt seccomp=unconfined",
        ),
    ],
)
def test_a_setting_that_forbids_containers_is_found(path: str, text: str, command: str) -> None:
    found = [*obstacles({path: text}.get, privileged=False)]

    assert [obstacle.command for obstacle in found] == [command]


def test_a_setting_that_allows_containers_is_not_blamed() -> None:
    settings = {
        "/proc/sys/user/max_user_namespaces": "15000",
        "/proc/sys/kernel/unprivileged_userns_clone": "1",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "0",
        "/proc/self/status": "Name:\tx\nSeccomp:\t0\n",
    }
    assert not [*obstacles(settings.get, privileged=False)]


def test_what_restricts_ordinary_users_is_not_blamed_by_root() -> None:
    settings = {
        "/proc/sys/kernel/unprivileged_userns_clone": "0",
        "/proc/sys/kernel/apparmor_restrict_unprivileged_userns": "1",
    }
    assert not [*obstacles(settings.get, privileged=True)]

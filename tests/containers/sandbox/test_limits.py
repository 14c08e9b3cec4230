"""Where limits can be set, read from what the kernel says of control groups."""

from __future__ import annotations

import pytest

from cannery.containers.sandbox.limits import control_group, counted_by_namespace, places

pytestmark = pytest.mark.once

VERSION_1 = "36 35 0:30 / /sys/fs/cgroup/pids rw,nosuid shared:9 - cgroup cgroup rw,pids\n"
VERSION_2 = "36 35 0:30 / /sys/fs/cgroup rw,nosuid shared:9 - cgroup2 cgroup2 rw,nsdelegate\n"
IN_A_CONTAINER = "36 35 0:30 /docker/abc /sys/fs/cgroup/pids rw,nosuid - cgroup cgroup rw,pids\n"


@pytest.mark.parametrize(
    ("groups", "mounts", "found"),
    [
        ("8:pids:/\n0::/\n", VERSION_1, [("/sys/fs/cgroup/pids", 1)]),
        ("8:pids:/a/b\n", VERSION_1, [("/sys/fs/cgroup/pids/a/b", 1)]),
        ("8:pids:/docker/abc/x\n", IN_A_CONTAINER, [("/sys/fs/cgroup/pids/x", 1)]),
        ("0::/a/b\n", VERSION_2, [(f"/sys/fs/cgroup{path}", 2) for path in ("/a/b", "/a", "")]),
        ("8:pids:/\n", "22 1 0:5 / /proc rw - proc proc rw\n", []),
        ("8:memory:/\n", VERSION_1, []),
    ],
)  # fmt: skip
def test_the_nearest_place_comes_first(groups: str, mounts: str, found: list[tuple[str, int]]) -> None:
    assert list(places(groups, mounts, "pids")) == found


@pytest.mark.parametrize(
    ("release", "counted"), [("5.10.0-28-amd64", False), ("5.14.0", True), ("6.18.44-vm+", True), ("4.19", False)]
)
def test_new_kernels_count_by_namespace(release: str, *, counted: bool) -> None:
    assert counted_by_namespace(release) is counted


def test_without_limits_nothing_is_made() -> None:
    with control_group({}) as move:
        assert move(1) == []

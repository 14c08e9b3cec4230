"""Links followed inside a root, as Linux follows them, and what is made of those that lead nowhere or out."""

from __future__ import annotations

import ctypes
import errno
import os
import tempfile
from contextlib import suppress
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cannery.errors import ImageError
from cannery.image.paths import Policy, folder_of, follow, links_in, make_folder, resolved
from cannery.image.rootfs import Root
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from cannery.image.paths import Look

pytestmark = pytest.mark.once

LINKS = {
    "/lib": "usr/lib",
    "/lib64": "/lib",
    "/usr/lib64": "../lib64",
    "/up": "../../etc",
    "/out": "/../..",
    "/usr/self": "loop",
    "/usr/loop": "/usr/self",
    "/new": "srv/new",
}
FOLDERS = {"/usr", "/usr/lib", "/usr/lib/gnu", "/etc", "/srv"}


def look(path: str) -> str | bool:
    return LINKS.get(path, path in FOLDERS)


@pytest.mark.parametrize(
    ("name", "place"),
    [
        ("/", "/"),
        ("usr//lib/./gnu", "/usr/lib/gnu"),
        ("/lib", "/usr/lib"),
        ("/lib64/gnu", "/usr/lib/gnu"),
        ("/usr/lib64", "/usr/lib"),
        ("/lib/..", "/usr"),
    ],
)
@pytest.mark.parametrize("policy", ["clamp", "land", "refuse"])
def test_links_are_followed_the_same_under_every_policy(name: str, place: str, policy: Policy) -> None:
    assert follow(name, look, policy) == place


@pytest.mark.parametrize(
    ("name", "clamped", "landed"),
    [
        ("/up", "/etc", "/etc"),
        ("/out", "/", "/"),
        ("/../etc", "/etc", "/etc"),
        ("/new/x", None, "/srv/new/x"),
        ("/opt/x", None, "/opt/x"),
        ("/usr/loop/x", None, None),
    ],
)
def test_what_leads_out_stops_at_the_root_and_what_isn_t_there_may_come_to_be(
    name: str, clamped: str | None, landed: str | None
) -> None:
    assert follow(name, look) == clamped
    assert follow(name, look, "land") == landed


@pytest.mark.parametrize(
    ("name", "told"),
    [
        ("/up", "leaves the image through a symbolic link"),
        ("/out/etc", "leaves the image through a symbolic link"),
        ("/usr/loop/x", "leads through a loop of symbolic links"),
        ("/new/x", "passes through a symbolic link to what the image doesn't hold"),
    ],
)
def test_links_that_nobody_means_well_by_are_refused(name: str, told: str) -> None:
    with pytest.raises(ImageError, match=told) as raised:
        follow(name, look, "refuse")
    assert repr(name) in raised.value.what


def test_a_name_that_is_not_there_yet_is_not_refused() -> None:
    assert follow("/lib/new/deep", look, "refuse") == "/usr/lib/new/deep"


def test_forty_links_are_followed_and_not_one_more() -> None:
    chain: Look = lambda path: str(int(path[1:]) - 1) if path != "/0" else True  # noqa: E731
    assert follow("/40", chain) == "/0"
    assert follow("/41", chain) is None


def test_paths_on_this_machine_lie_below_the_root(tmp_path: Path) -> None:
    (tmp_path / "usr").mkdir()
    (tmp_path / "usr/link").symlink_to("nowhere")
    root = str(tmp_path)
    assert resolved(root, "/") == root
    assert folder_of(root, "usr/link") == f"{root}/usr"
    assert Root(tmp_path).landing("/usr/link/x") == "/usr/nowhere/x"


def test_folders_that_no_layer_names_have_one_mode_whatever_the_umask(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        make_folder(str(tmp_path), f"{tmp_path}/a/b")
    finally:
        os.umask(before)
    assert [(tmp_path / name).stat().st_mode & 0o777 for name in ("a", "a/b")] == [0o755, 0o755]


_NAMES = st.sampled_from(["a", "b", "c", ".."])
_PATHS = st.builds("/".join, st.lists(_NAMES, min_size=1, max_size=4))


@pytest.mark.slow
@given(
    links=st.dictionaries(_PATHS, st.builds("{}{}".format, st.sampled_from(["", "/"]), _PATHS), max_size=6),
    folders=st.lists(_PATHS, max_size=6),
    names=st.lists(_PATHS, min_size=1, max_size=8),
)
@settings(max_examples=300, deadline=None)
def test_a_root_is_read_as_linux_reads_it(links: dict[str, str], folders: list[str], names: list[str]) -> None:
    with tempfile.TemporaryDirectory() as top:
        root = Path(top, "outer", "root")
        root.mkdir(parents=True)
        for folder in folders:
            with suppress(OSError):
                (root / folder.replace("..", "c")).mkdir(parents=True)
        for path, target in links.items():
            with suppress(OSError):
                (root / path.replace("..", "c")).symlink_to(target)
        for name in names:
            assert follow(name, links_in(str(root))) == _as_linux(root, name), (name, links, folders)


class _How(ctypes.Structure):
    _fields_ = (("flags", ctypes.c_uint64), ("mode", ctypes.c_uint64), ("resolve", ctypes.c_uint64))


_OPENAT2 = 437  # on every architecture
_IN_ROOT = 0x10  # RESOLVE_IN_ROOT (openat2(2))
_AT_FDCWD = -100


def _as_linux(root: Path, name: str) -> str | None:
    """Where the kernel leads ``name`` for a process whose root is ``root``."""
    libc = ctypes.CDLL(None, use_errno=True)
    folder = os.open(root, os.O_PATH)
    try:
        how = _How(os.O_PATH | os.O_CLOEXEC, 0, _IN_ROOT)
        found = libc.syscall(_OPENAT2, folder, os.fsencode(name), ctypes.byref(how), ctypes.sizeof(how))
        if found < 0:
            if ctypes.get_errno() in {errno.ENOSYS, errno.EPERM}:
                absent("openat2(2)")
            return None
        try:
            real = str(Path(f"/proc/self/fd/{found}").readlink())
        finally:
            os.close(found)
    finally:
        os.close(folder)
    return real.removeprefix(str(root)) or "/"

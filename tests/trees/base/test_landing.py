"""Trees on top of a base: through its links, and with its folders as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.image.content import Inline
from cannery.image.rootfs import Root
from cannery.image.tree import Directory, File, Symlink, Tree
from cannery.trees.base.landing import landed
from cannery.trees.base.replaced import without_replaced

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

FILE = File(Inline(b"x"))
SITE = "/usr/lib/python3.11/site-packages"


@pytest.fixture
def base(tmp_path: Path) -> Path:
    """A root with merged /usr, as Debian has it."""
    root = tmp_path / "root"
    for folder in ("usr/lib/x86_64-linux-gnu", "usr/bin", "srv", "data"):
        (root / folder).mkdir(parents=True)
    for name in ("lib", "bin"):
        (root / name).symlink_to(f"usr/{name}")
    (root / "usr/lib64").symlink_to("/lib")
    (root / "lib64").symlink_to("usr/lib64")
    (root / "app").symlink_to("data/app")  # leads nowhere yet
    (root / "loop").symlink_to("loop")
    (root / "file").write_text("")
    return root


def paths(tree: Tree) -> set[str]:
    return {path for path, entry in tree if not isinstance(entry, Directory)}


@pytest.mark.parametrize(
    ("path", "place"),
    [
        ("/lib/x.so", "/usr/lib/x.so"),
        ("/lib/x86_64-linux-gnu/new/x.so", "/usr/lib/x86_64-linux-gnu/new/x.so"),
        ("/lib64/x.so", "/usr/lib/x.so"),
        ("/bin/tool", "/usr/bin/tool"),
        ("/opt/new/x", "/opt/new/x"),
        ("/app/main.py", "/data/app/main.py"),
        ("/lib", "/lib"),  # a link of our own takes the place of the base's
    ],
)
def test_a_path_is_led_through_the_links_of_the_base(base: Path, path: str, place: str) -> None:
    assert paths(landed(Tree({path: FILE}), Root(base), {})) == {place}


def test_a_folder_of_the_tree_never_takes_the_place_of_a_link(base: Path) -> None:
    tree = landed(Tree({"/lib": Directory(), "/lib/x": FILE, "/lib64/y": Symlink("x")}), Root(base), {})
    assert {path for path, _ in tree.with_parents()} == {"/usr", "/usr/lib", "/usr/lib/x", "/usr/lib/y"}


def test_folders_of_the_base_keep_their_modes_and_owners(base: Path) -> None:
    own = Directory(0o2775, 0, 50)
    tree = landed(Tree({"/lib/new/x": FILE}), Root(base), {"/usr/lib": own})
    entries = dict(tree.with_parents())
    assert entries["/usr/lib"] == own
    assert entries["/usr"] == entries["/usr/lib/new"] == Directory()


@pytest.mark.parametrize(
    ("path", "told"),
    [
        ("/file/x", "the base has a file where the folder /file belongs"),
        ("/srv", "the base has a folder where /srv belongs"),
        ("/loop/x", "/loop leads through a loop of links in the base"),
    ],
)
def test_what_can_t_lie_there_is_refused(base: Path, path: str, told: str) -> None:
    with pytest.raises(ImageError) as raised:
        landed(Tree({path: FILE}), Root(base), {})
    assert raised.value.what == told


def install(base: Path, name: str, version: str, *files: str) -> None:
    """A distribution of the base, as an installer leaves it."""
    site = base / SITE.lstrip("/")
    info = f"{name}-{version}.dist-info"
    listed = [*files, f"{info}/METADATA", f"{info}/RECORD", "../../../bin/tool"]
    for each in listed[:-1]:
        (site / each).parent.mkdir(parents=True, exist_ok=True)
        (site / each).write_text("")
    (site / info / "RECORD").write_text("".join(f"{each},,\n" for each in listed))


def test_a_distribution_that_the_tree_brings_is_taken_away_from_the_base_first(base: Path) -> None:
    install(base, "Set.Tools", "65.0", "set_tools/__init__.py", "set_tools/old.py", "pkg_old/__init__.py", "s.pth")
    install(base, "other", "1.0", "other/__init__.py")
    ours = {f"{SITE}/set_tools/__init__.py": FILE, f"{SITE}/set_tools-70.0.dist-info/METADATA": FILE}

    tree = without_replaced(Tree(ours), Root(base), SITE)

    assert paths(tree) - ours.keys() == {
        f"{SITE}/.wh.Set.Tools-65.0.dist-info",
        f"{SITE}/.wh.pkg_old",
        f"{SITE}/.wh.s.pth",
        f"{SITE}/set_tools/.wh..wh..opq",
    }


def test_a_namespace_that_others_share_stays(base: Path) -> None:
    install(base, "cloud-one", "1", "cloud/one/__init__.py")
    install(base, "cloud-two", "1", "cloud/two/__init__.py")
    ours = {f"{SITE}/cloud/one/__init__.py": FILE, f"{SITE}/cloud_one-2.dist-info/METADATA": FILE}

    tree = without_replaced(Tree(ours), Root(base), SITE)

    assert paths(tree) - ours.keys() == {f"{SITE}/.wh.cloud-one-1.dist-info"}


def test_nothing_is_taken_away_where_the_base_has_nothing(base: Path) -> None:
    tree = Tree({f"{SITE}/a/__init__.py": FILE, f"{SITE}/a-1.dist-info/METADATA": FILE})
    assert without_replaced(tree, Root(base), SITE) == tree

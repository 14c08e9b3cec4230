"""What scanners can't see by themselves gets a note, and the notes of anybody's files are read."""

from __future__ import annotations

from cannery.bom.assembled import SBOM_PATH, About, inventory_of_layers
from cannery.bom.cyclonedx import cyclonedx
from cannery.bom.inventory import Inventory, Item
from cannery.bom.layer_contents import files_of_tree
from cannery.bom.package_notes import tree_of_notes
from cannery.elf.components import Component, marked
from cannery.elf.package_notes import PackageNote, note_file
from cannery.image.content import Inline
from cannery.image.tree import File, Tree

ABOUT = About("shop", "1.0", "linux/amd64")
PROGRAM = "/usr/local/bin/shop"
PYTHON = Item("interpreter", "python", "3.13.5", "pkg:generic/python@3.13.5", paths=(PROGRAM,))
DEBIAN = "pkg:deb/debian/openssl@3.5.7-1~deb13u2?arch=source&distro=debian-13"
OPENSSL = Item("library", "openssl", "3.5.7-1~deb13u2", DEBIAN, paths=(PROGRAM,))
ZLIB = Item("library", "zlib", "1.3.1", "pkg:generic/zlib@1.3.1", paths=("/opt/libz.so.1",))
PACKAGED = Item("library", "ffi", "8", "pkg:generic/ffi@8", paths=("/lib/libffi.so.8",))
PACKAGE = Item("package", "libffi8", "3.4", "pkg:deb/debian/libffi8@3.4", paths=("/usr/lib/libffi.so.8",))


def notes(*items: Item, own: tuple[str, ...] = (PROGRAM, "/opt/libz.so.1", "/lib/libffi.so.8")) -> set[str]:
    inventory = Inventory("shop", "1.0", "linux/amd64", items)
    return {path.rpartition("/")[2] for path, _ in tree_of_notes(inventory, own, PROGRAM).files()}


def test_interpreters_and_libraries_that_no_package_has_get_one() -> None:
    assert notes(PYTHON, OPENSSL, ZLIB, PACKAGED, PACKAGE) == {"openssl-3.5.7-1~deb13u2.note", "zlib-1.3.1.note"}
    assert notes(ZLIB, own=()) == set()  # the base has it


def test_what_no_note_can_name_has_none() -> None:
    crate = Item("library", "serde", "1.0", "pkg:cargo/serde@1.0")
    nameless = Item("library", "unknown", "", "pkg:generic/unknown", paths=(PROGRAM,))
    assert notes(crate, nameless) == set()


def inventory(files: dict[str, bytes]) -> list[tuple[str, str, str]]:
    tree = Tree({path: File(Inline(data)) for path, data in files.items()})
    return [(item.kind, item.purl, item.paths[0]) for item in inventory_of_layers(ABOUT, [files_of_tree(tree)]).items]


def test_notes_of_others_are_items() -> None:
    curl = note_file(PackageNote("rpm", "curl", "8.6.0-1.fc40", "fedora", "40"))
    assert inventory({"/usr/bin/curl": curl, "/usr/lib64/libcurl.so.4": curl}) == [
        ("package", "pkg:rpm/fedora/curl@8.6.0-1.fc40?distro=fedora-40", "/usr/bin/curl")
    ]


def test_a_python_with_a_note_is_one_item_by_the_note_s_name() -> None:
    note = PackageNote("deb", "python3.13", "3.13.5-2+deb13u5", "debian", "13")
    program = note_file(note) + marked([Component("Python", "3.13.5-2+deb13u5")]).encode() + b"\0"
    assert inventory({"/bin/shop": program}) == [
        ("interpreter", "pkg:deb/debian/python3.13@3.13.5-2%2Bdeb13u5?distro=debian-13", "/bin/shop")
    ]


def test_our_own_notes_repeat_nothing() -> None:
    bom = cyclonedx(Inventory("shop", "1.0", "linux/amd64", (ZLIB,)))
    note = note_file(PackageNote("generic", "zlib", "1.3.1"))
    files = {SBOM_PATH: bom, "/usr/share/sbom/zlib-1.3.1.note": note, "/opt/libz.so.1": b""}
    assert inventory(files) == [("library", "pkg:generic/zlib@1.3.1", "/opt/libz.so.1")]

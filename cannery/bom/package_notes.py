"""Package notes of ELF files: from items of an inventory to what scanners read, and from what files say to items."""

from __future__ import annotations

import re
from collections import defaultdict
from typing import TYPE_CHECKING, Final

from cannery.bom.digests import digest_of_files
from cannery.bom.inventory import Item
from cannery.bom.purls import purl_of, read_purl
from cannery.elf.package_notes import PackageNote, note_file
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.python.distribution.status import merged_path

if TYPE_CHECKING:
    from collections.abc import Container, Iterable, Iterator, Mapping

    from cannery.bom.inventory import Inventory
    from cannery.bom.layer_contents import ContainedFile
    from cannery.bom.packages import SystemPackages

__all__ = ["NOTES", "is_packaged", "items_of_notes", "purl_of_note", "tree_of_notes"]

NOTES: Final = "/usr/share/sbom/"  # of an image, with files that have nothing but a note
_PACKAGED: Final = frozenset({"alpm", "apk", "deb", "rpm"})  # the types that notes have besides "generic"


def tree_of_notes(inventory: Inventory, own: Container[str], program: str) -> Tree:
    """A file with a note for each interpreter and library that scanners don't know by themselves.

    They know what a package or a distribution has. What lies in none of the files ``own`` is told by whoever put it
    there, and the Python in an executable, the ``program``, by that itself.
    """
    packaged = {merged_path(path) for item in inventory.of_kind("package") for path in item.paths}
    notes = {
        note
        for item in (*inventory.of_kind("interpreter"), *inventory.of_kind("library"))
        if packaged.isdisjoint(map(merged_path, item.paths))
        and (not item.paths or any(path in own for path in item.paths))
        and not (item.kind == "interpreter" and program in item.paths)
        and (note := _note(item))
    }
    return Tree({f"{NOTES}{_file_name(note)}": File(Inline(note_file(note))) for note in sorted(notes)})


def _note(item: Item) -> PackageNote | None:
    """The note on ``item``; None for one that no note can name, as it has no version, or is of another kind."""
    purl = read_purl(item.purl)
    if purl is None or not purl.version or purl.type not in {"generic", *_PACKAGED}:
        return None
    release = purl.qualifiers.get("distro", "").partition("-")[2]
    return PackageNote(purl.type, purl.name, purl.version, purl.namespace or "", release, item.cpe)


def _file_name(note: PackageNote) -> str:
    return re.sub(r"[^\w.+~-]", "_", f"{note.name}-{note.version}.note")


def is_packaged(notes: Iterable[PackageNote]) -> bool:
    """True where one of ``notes`` names a package of a distribution's."""
    return any(note.type in _PACKAGED for note in notes)


def purl_of_note(note: PackageNote) -> str:
    """The purl of what ``note`` is on."""
    kind = note.type if note.type in _PACKAGED else "generic"
    distro = "-".join(filter(None, (note.system, note.release)))
    return purl_of(kind, note.name, note.version, namespace=note.system, qualifiers={"distro": distro})


def items_of_notes(
    files: Mapping[str, ContainedFile], packages: SystemPackages, known: Iterable[Item]
) -> Iterator[Item]:
    """What the notes of ``files`` name, once each, unless it's ``known``, or a package has the file."""
    named = {_bare(item.purl) for item in known}
    by_note: defaultdict[PackageNote, list[ContainedFile]] = defaultdict(list)
    for path, file in files.items():
        for note in file.notes:
            if packages.owner(path) is None and _bare(purl_of_note(note)) not in named:
                by_note[note].append(file)
    for note, own in by_note.items():
        yield Item(
            "package" if note.type in _PACKAGED else "library",
            note.name,
            note.version,
            purl_of_note(note),
            digest=digest_of_files(own),
            paths=tuple(file.path for file in own),
            origin="as its package note says",
            cpe=note.cpe,
        )


def _bare(purl: str) -> str:
    return purl.partition("?")[0]

"""From the files of an image to its inventory."""

from __future__ import annotations

import re
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.bom.cyclonedx import inventory_of_cyclonedx
from cannery.bom.digests import digest_of_files
from cannery.bom.distributions import distributions_in, modules_left_out
from cannery.bom.inventory import Inventory
from cannery.bom.layer_contents import ContainedFile, files_of_tree
from cannery.bom.libraries import libraries_in, pythons_in
from cannery.bom.package_notes import items_of_notes
from cannery.bom.packages import SystemPackages, packages_in
from cannery.bom.visible import visible_files
from cannery.errors import ImageError
from cannery.image.tree import Tree
from cannery.imports.places import module_name

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.bom.distributions import DistributionMetadata, InstalledDistribution
    from cannery.bom.inventory import Item, ItemKind

    ArchiveOf = tuple[ItemKind, str]  # the kind and the name of an item

__all__ = ["SBOM_PATH", "About", "PlannedContents", "inventory_of_layers"]

SBOM_PATH: Final = "/usr/share/sbom/image.cdx.json"  # of an image's own bill of materials, where scanners find it
_STDLIB: Final = re.compile(r"/.*?/lib/python3(?:\.\d+t?|\d+t?\.zip)/(?:lib-dynload/)?(?P<inside>(?!site-packages/).+)")


class About(NamedTuple):
    """What an image is called, and what it's for."""

    name: str
    version: str
    platform: str


@dataclass(frozen=True, slots=True)
class PlannedContents:
    """What whoever builds an image knows of it, and its files don't tell."""

    known: Mapping[str, DistributionMetadata] = field(
        default_factory=dict
    )  # distributions by name, with all of their files
    library: frozenset[str] = frozenset()  # the modules of the whole standard library
    builtins: frozenset[str] = frozenset()  # of them those that are inside the interpreter
    program: str = ""  # the path of an executable with modules inside
    modules: frozenset[str] = frozenset()  # these modules
    items: tuple[Item, ...] = ()  # what is linked into it
    inside: tuple[ContainedFile, ...] = ()  # what was packed into it
    owners: Mapping[str, str] = field(default_factory=dict)  # of these the paths that packages have, with their names
    beside: Tree = field(default_factory=Tree)  # files by which scanners find what is in it
    archives: Callable[[], Mapping[ArchiveOf, tuple[str, str]]] = (
        dict  # names and SHA-256 of the files that items were fetched as
    )


def inventory_of_layers(
    about: About, layers: Iterable[Iterable[ContainedFile]], planned: PlannedContents | None = None
) -> Inventory:
    """The inventory of an image with these ``layers``, the lowest first.

    A bill of materials of cannery's that lies in it tells what files don't, unless that is ``planned``.
    """
    planned = planned or PlannedContents()
    files = visible_files([*layers, files_of_tree(planned.beside)])
    packages = packages_in(files)
    distributions = [_with_modules(each, files, planned) for each in distributions_in(files, planned.known)]
    bundlers = {path: each.title for each in distributions for path in each.files if path != planned.program}
    pythons = [_with_left_out(each, files, planned) for each in pythons_in(files, packages)]
    inner = {file.path: file for file in planned.inside}
    owned = SystemPackages("", (), planned.owners)
    found = [
        *(each.item for each in distributions),
        *pythons,
        *(_with_left_out(_in_program(each, files, planned), files, planned) for each in pythons_in(inner, owned)),
        *(_in_program(each, files, planned) for each in libraries_in(inner, owned, lambda _: "")),
        *libraries_in(files, packages, lambda path: bundlers.get(path, "")),
        *(item for each in distributions for item in each.bundled),
        *packages.items,
    ]
    items = [*_completed(found, (*planned.items, *_told(files)))]
    items += items_of_notes(files, packages, items)
    return Inventory(*about, tuple(sorted(items, key=_order)), packages.system)


def _with_modules(
    distribution: InstalledDistribution, files: Mapping[str, ContainedFile], planned: PlannedContents
) -> InstalledDistribution:
    """``distribution`` with its modules in the executable, which is one of its files then."""
    own = distribution.metadata.modules & planned.modules
    program = {planned.program: files[planned.program]} if own and planned.program in files else {}
    return replace(distribution, files={**distribution.files, **program}, modules_elsewhere=own)


def _in_program(item: Item, files: Mapping[str, ContainedFile], planned: PlannedContents) -> Item:
    """``item``, whose files are packed into the executable, which is its file in the image."""
    program = files.get(planned.program)
    return replace(item, paths=(planned.program,), digest=digest_of_files([program] if program else []))


def _with_left_out(python: Item, files: Mapping[str, ContainedFile], planned: PlannedContents) -> Item:
    """The interpreter with the modules of its standard library that are not there."""
    inside = (found["inside"] for path in files if (found := _STDLIB.fullmatch(path)))
    present = {name for path in inside if (name := module_name(path))}
    paths = (f"{name.replace('.', '/')}.py" for name in planned.library)
    return replace(python, left_out=modules_left_out(paths, present | planned.builtins | planned.modules))


def _told(files: Mapping[str, ContainedFile]) -> Iterator[Item]:
    """The items of the bill of materials that an image of cannery's has, those of them whose files are still there."""
    if SBOM_PATH not in files:
        return
    try:
        told = inventory_of_cyclonedx(files[SBOM_PATH].text.encode())
    except ImageError:  # somebody else's
        return
    for item in told.items:
        places = tuple(f"{path}/" for path in item.paths)
        if not item.paths or any(f"{path}/".startswith(places) for path in files):
            yield item


def _completed(found: Iterable[Item], told: Iterable[Item]) -> Iterator[Item]:
    """What was ``found``, each with what it is ``told`` to lack and to come from; and what only that tells of."""
    by_name = {(item.kind, item.name, item.version, item.paths): item for item in told}
    for item in found:
        more = by_name.pop((item.kind, item.name, item.version, item.paths), None)
        yield item if more is None else _both(item, more)
    yield from by_name.values()


def _both(item: Item, more: Item) -> Item:
    return replace(
        item,
        licence=item.licence or more.licence,
        digest=more.digest or item.digest,
        purl=more.purl or item.purl,
        cpe=item.cpe and more.cpe,
        origin=more.origin or item.origin,
        left_out=item.left_out or more.left_out,
        sources=item.sources or more.sources,
        bare=item.bare or more.bare,
    )


def _order(item: Item) -> tuple[str, str, str, tuple[str, ...], str]:
    return item.kind, item.name, item.version, item.paths, item.purl

"""The files that the parts of an image were taken out of: wheels, and packages of a distribution, by their digests."""

from __future__ import annotations

import json
import posixpath
from typing import TYPE_CHECKING, Final, NamedTuple
from urllib.parse import unquote, urlsplit

from packaging.tags import parse_tag
from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

from cannery.project.pylock import parse
from cannery.project.trimmed_wheels import TELLING
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from packaging.tags import Tag

    from cannery.bom.inventory import ItemKind
    from cannery.image.tree import LazyTree
    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["FetchedArchive", "archives_of_packages", "archives_of_wheels", "fetched_for"]


_COMPILE: Final = (
    *("pip", "compile", "--format=pylock.toml", "--no-header", "--generate-hashes", "--no-deps", "--universal"),
    *("--no-build", "--color=never"),
)


class FetchedArchive(NamedTuple):
    """A file that was fetched."""

    name: str  # its file's: "fire-0.7.1-py3-none-any.whl"
    sha256: str


def fetched_for(
    requirements: Requirements | None, wheels: LazyTree, workspace: Workspace, python: Interpreter | None = None
) -> dict[tuple[ItemKind, str], FetchedArchive]:
    """The files that were fetched for ``wheels``, and for ``python``, by the kinds and names of items."""
    of_wheels = archives_of_wheels(requirements, wheels, workspace)
    of_packages = archives_of_packages(python) if python else {}
    return {
        **{("distribution", name): each for name, each in of_wheels.items()},
        **{("package", name): each for name, each in of_packages.items()},
    }


def archives_of_wheels(
    requirements: Requirements | None, wheels: LazyTree, workspace: Workspace
) -> Mapping[str, FetchedArchive]:
    """The archives that ``wheels`` were installed from, by the names of their distributions, as their lock has them.

    Of several wheels of one version it's the one with the tags that the installed files tell. What the lock has no
    digest for isn't there. A file of requirements tells digests alone: the index is asked whose they are, and nothing
    is there where it doesn't answer.
    """
    if requirements is None or not requirements.hashed:
        return {}
    key = key_of("archives", code_key(__name__), requirements.key, wheels.key)
    known = workspace.cache.recall("distributions", key)
    if known is None:
        try:
            locked = dict(_locked(_lock(requirements, workspace)))
        except ProgramFailed:
            workspace.progress("the index doesn't tell whose digests these are: no wheel is named by its archive")
            return {}
        if requirements.form == "requirements":
            locked = {
                name: tuple(each for each in files if each.sha256 in requirements.text)
                for name, files in locked.items()
            }
        found = ((name, _chosen(locked.get(name, ()), tags)) for name, tags in _installed(wheels))
        known = {name: list(archive) for name, archive in found if archive is not None}
        workspace.cache.remember("distributions", key, known)
    return {name: FetchedArchive(*each) for name, each in known.items()}


def archives_of_packages(python: Interpreter) -> Mapping[str, FetchedArchive]:
    """The packages that ``python`` was unpacked from, by their names; none where it wasn't fetched."""
    if python.packages is None:
        return {}
    told: Mapping[str, Mapping[str, str]] = json.loads(python.packages.read_bytes())
    return {name: FetchedArchive(posixpath.basename(each["path"]), each["sha256"]) for name, each in told.items()}


def _lock(requirements: Requirements, workspace: Workspace) -> str:
    """The requirements, all pinned, as a lock that names their files (PEP 751)."""
    if requirements.form == "pylock":
        return requirements.text
    workspace.progress("asking for the names of the wheels")
    command = [find_uv(), *_COMPILE, *requirements.options, "-"]
    return workspace.run(command, cwd=requirements.source.parent, stdin=requirements.text, env=TELLING).stdout


def _locked(text: str) -> Iterator[tuple[str, tuple[FetchedArchive, ...]]]:
    """The distributions of a lock (PEP 751) with the files that each may be taken from: wheels, then others."""
    for package in parse(text, "lock").get("packages", []):
        places = [*package.get("wheels", []), *(package[kind] for kind in ("archive", "sdist") if kind in package)]
        files = (FetchedArchive(_file_name(each), each.get("hashes", {}).get("sha256", "")) for each in places)
        yield canonicalize_name(package["name"]), tuple(each for each in files if each.sha256)


def _file_name(place: Mapping[str, str]) -> str:
    return place.get("name") or posixpath.basename(place.get("path") or unquote(urlsplit(place.get("url", "")).path))


def _installed(wheels: LazyTree) -> Iterator[tuple[str, frozenset[Tag]]]:
    """The installed distributions with the tags of the wheel that each was (packaging.python.org, WHEEL)."""
    for path, file in wheels.tree.files():
        if path.endswith(".dist-info/WHEEL"):
            with file.content.open() as stream:
                lines = stream.read().decode("utf-8", "replace").splitlines()
            tags = (line.partition(":")[2].strip() for line in lines if line.startswith("Tag:"))
            name = posixpath.basename(posixpath.dirname(path)).partition("-")[0]
            yield canonicalize_name(name), frozenset(tag for text in tags for tag in _tags(text))


def _tags(text: str) -> Iterable[Tag]:
    try:
        return parse_tag(text)
    except ValueError:  # it isn't three words
        return ()


def _chosen(files: tuple[FetchedArchive, ...], tags: frozenset[Tag]) -> FetchedArchive | None:
    """The wheel with these ``tags``, or the only one that has some of them; else what a wheel was built from here."""
    by_tags = {file: found for file in files if (found := _tags_of(file.name))}
    exact = [file for file, found in by_tags.items() if found == tags]
    close = [file for file, found in by_tags.items() if found & tags]
    for fitting in (exact, close):
        if len(fitting) == 1:
            return fitting[0]
    others = [file for file in files if file not in by_tags]
    return others[0] if len(others) == 1 and not close else None


def _tags_of(name: str) -> frozenset[Tag]:
    """The tags in the name of a wheel; none for another file."""
    try:
        return parse_wheel_filename(name)[3]
    except InvalidWheelFilename:
        return frozenset()

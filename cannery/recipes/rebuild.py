"""An image built again from what its provenance names, with nothing that an earlier build left."""

from __future__ import annotations

import sys
from contextlib import contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cannery.difference.fields import changed_fields
from cannery.errors import UnprovenError
from cannery.project.config import load
from cannery.project.flags import BUILD_FLAGS
from cannery.project.git_source import checked_out, repository_with
from cannery.recipes.build import build, whole
from cannery.recipes.lock import tools_of, zlib_digest
from cannery.recipes.platforms import PACKING_PYTHON, for_each_platform
from cannery.recipes.provenance import deciding_settings, locks_of
from cannery.workspace.cache import Cache
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.image.image import Image
    from cannery.project.app import App
    from cannery.project.git_source import GitSource
    from cannery.trust.provenance import Provenance
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace

__all__ = ["Rebuilt", "rebuilt"]


@dataclass(frozen=True, slots=True)
class Rebuilt:
    """What was built again."""

    images: tuple[Image, ...]  # for each platform
    digests: frozenset[Digest]  # of those, and of the index of several
    notes: tuple[str, ...]  # what is otherwise here than where it was built first


@contextmanager
def rebuilt(
    provenance: Provenance, source: str | None, folder: Path, *, signed: bool, workspace: Workspace
) -> Iterator[Rebuilt]:
    """Build what ``provenance`` names from its commit; the layers are there for as long as the block lasts.

    The commit is taken from ``source``, from the repository that ``folder`` lies in where it has it, or else, where the
    provenance is ``signed``, from the repository that it names: nobody else decides what code this machine fetches and
    builds. Raises :class:`UnprovenError` where it can't be had, or has other locks or settings.
    """
    known = _committed(provenance)
    with workspace.cache.scratch() as scratch:
        top = scratch / "source"
        _fetch(known, _repository(known, source, folder, signed=signed, workspace=workspace), top, workspace)
        app = _app(provenance, top / known.folder)
        # Nothing that an earlier build or a registry left: a proof out of what is to be proven would be none.
        fresh = replace(workspace, cache=Cache(scratch / "cache"))
        built = [build(each, fresh) for each in for_each_platform(app)]
        images = tuple(each.image for each in built)
        digests = frozenset((whole(built).digest, *(each.digest for each in images)))
        yield Rebuilt(images, digests, tuple(_otherwise(provenance, app)))


def _committed(provenance: Provenance) -> GitSource:
    """Where the project's files come from, all of which a commit has."""
    source = provenance.source
    if source is None:
        raise UnprovenError(
            "the image was built from files that no repository has, so nobody can build it again",
            step="commit them, and push it from there",
        )
    if source.modified:
        raise UnprovenError(
            "the image was built from files that no commit has, so nobody can build it again",
            evidence="\n".join(source.modified),
            step="commit them, and push it once more",
        )
    return source


def _repository(known: GitSource, source: str | None, folder: Path, *, signed: bool, workspace: Workspace) -> str:
    """The repository that the commit is taken from."""
    if source is not None:
        return source
    here = repository_with(known.commit, folder, workspace.run)
    if here is not None:
        return here
    if signed and known.repository:
        return known.repository
    named = f"the provenance names {known.repository}" if known.repository else "the provenance names no repository"
    raise UnprovenError(
        f"the commit {known.commit} is not here, and nothing that is trusted says where it can be had",
        evidence=named if signed else f"{named}, and is not signed by a key that was asked for",
        step="name a repository that has it:  --source FOLDER_OR_ADDRESS",
    )


def _fetch(known: GitSource, repository: str, top: Path, workspace: Workspace) -> None:
    workspace.progress(f"fetching the commit {known.commit[:12]} from {repository}")
    try:
        checked_out(repository, known.commit, top, workspace.run)
    except ProgramFailed as error:
        raise UnprovenError(
            f"the commit {known.commit} can't be had from {repository}",
            evidence=error.stderr.strip(),
            step="name a repository that has it:  --source FOLDER_OR_ADDRESS",
        ) from error


def _app(provenance: Provenance, folder: Path) -> App:
    """The app of the commit in ``folder``, with the settings that were given beside it.

    Raises :class:`UnprovenError` where its locks or its settings are others.
    """
    if not folder.is_dir():
        raise UnprovenError("the commit has no such project", evidence=f"the provenance names the folder {folder.name}")
    app = load(folder, _flags(provenance))
    locks = locks_of(app)
    if locks != provenance.locks:
        names = sorted(name for name in {*locks, *provenance.locks} if locks.get(name) != provenance.locks.get(name))
        lines = (
            f"{each}: sha256 {provenance.locks.get(each, 'none')} was built with, and the commit has "
            f"{locks.get(each, 'none')}"
            for each in names
        )
        raise UnprovenError(
            "the image was built with another lock than its commit has",
            evidence="\n".join(lines),
            step="don't trust it, or have whoever pushed it commit that lock and push again",
        )
    _check_settings(provenance, app)
    return app


def _flags(provenance: Provenance) -> dict[str, Any]:
    """The flags that the settings of the build come to; a Python of this machine is one of the same version."""
    flags = {name: provenance.settings[name] for name in ("name", *BUILD_FLAGS) if name in provenance.settings}
    minor = tuple(provenance.python.split(".")[:2])
    takes_ours = provenance.settings.get("recipe", "scratch") in PACKING_PYTHON
    if takes_ours and "python" not in flags and minor != tuple(map(str, sys.version_info[:2])) and len(minor) > 1:
        flags["python"] = ".".join(minor)
    return flags


def _check_settings(provenance: Provenance, app: App) -> None:
    settings = deciding_settings(app)
    if "python" not in provenance.settings:
        settings.pop("python", None)
    changes = changed_fields(settings, provenance.settings)
    if changes:
        raise UnprovenError(
            "the image was built by other settings than its commit has",
            evidence="\n".join(f"{each.name}: {each.before!r} there, and built by {each.after!r}" for each in changes),
            step="have whoever pushed it commit those settings and push again",
        )


def _otherwise(provenance: Provenance, app: App) -> Iterator[str]:
    """What this machine has otherwise than the one that built first, and what makes other bytes."""
    here = tools_of(app)
    for name, version in sorted(provenance.tools.items()):
        if here.get(name) != version:
            yield f"{name} {version} built it, and here is {here.get(name, 'none')}"
    if provenance.zlib and provenance.zlib != zlib_digest():
        yield "this machine's zlib compresses otherwise"

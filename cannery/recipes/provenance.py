"""From images that were built to what they were built from."""

from __future__ import annotations

import hashlib
import importlib.metadata
import os
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import msgspec

import cannery
from cannery.project.app import LOCK_FILE
from cannery.project.git_source import git_source
from cannery.recipes.lock import tools_of, zlib_digest
from cannery.trust.provenance import Material, Provenance
from cannery.workspace.digest import Digest
from cannery.workspace.files import explained

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.bom.inventory import Inventory
    from cannery.project.app import App
    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace

__all__ = ["deciding_settings", "locks_of", "provenance_of"]

# Settings that decide about no byte of an image
_ELSEWHERE: Final = frozenset(
    {
        *("attest", "audit", "build-options", "builder", "cache-from", "cache-size", "check", "engine", "export"),
        *("memory", "mirrors", "output", "pids-limit", "repository", "sign", "signer", "sizes", "tag", "tags"),
        *("tmp-size", "vex"),
    }
)


def provenance_of(
    app: App, built: Sequence[Built], inventories: Sequence[Inventory], workspace: Workspace
) -> Provenance:
    """What the images ``built`` of ``app`` were built from; ``inventories`` are theirs."""
    pythons = (item.version for each in inventories for item in each.of_kind("interpreter"))
    folders = (app.archive.parent.name, ".venv")
    return Provenance(
        git_source(app.folder, workspace.run, folders),
        deciding_settings(app),
        locks_of(app),
        tools_of(app),
        next(pythons, ""),
        zlib_digest(),
        tuple(dict.fromkeys((*_bases(built), *_contents(built, inventories), *_tools(app)))),
    )


def deciding_settings(app: App) -> dict[str, Any]:
    """The settings of ``app`` that decide about the bytes of its image, those that aren't defaults.

    The name is among them in any case: it may be that of the folder, which is another when somebody builds it again.
    """
    settings: dict[str, Any] = msgspec.to_builtins(app.settings)
    defaults = msgspec.to_builtins(type(app.settings)())
    found = {name: value for name, value in settings.items() if value != defaults[name] and name not in _ELSEWHERE}
    return msgspec.json.decode(msgspec.json.encode({**found, "name": app.name}), type=dict[str, Any])


def locks_of(app: App) -> dict[str, str]:
    """The files that the versions in the image follow from, by their paths from the project: their SHA-256."""
    paths = [app.folder / LOCK_FILE, *([app.requirements.path] if app.requirements else [])]
    found = {}
    for path in paths:
        if path.is_file():
            with explained(path, "read"):
                found[_relative(path, app.folder)] = hashlib.sha256(path.read_bytes()).hexdigest()
    return dict(sorted(found.items()))


def _relative(path: Path, folder: Path) -> str:
    """The path from ``folder``; of a workspace's lock, which lies above it, with the steps up."""
    return Path(os.path.relpath(path, folder)).as_posix()


def _bases(built: Sequence[Built]) -> Iterator[Material]:
    """The images that others were built upon."""
    for each in built:
        if each.base is not None:
            uri = f"docker://{each.base.reference}" if each.base.reference else ""
            yield Material(uri, each.base.digest.hex, each.base.name, "the image's manifest")


def _contents(built: Sequence[Built], inventories: Sequence[Inventory]) -> Iterator[Material]:
    """What is in the images, and the files that it was fetched as: wheels, packages, the sources of libraries."""
    for each, inventory in zip(built, inventories, strict=True):
        archives = each.contents.make().archives() if each.contents else {}
        for item in inventory.items:
            archive = archives.get((item.kind, item.name))
            if archive is not None:
                yield Material(item.purl, archive[1], archive[0])
            if item.digest or (item.purl and archive is None):
                of = "the list of its files in the image" if item.digest else ""
                yield Material(item.purl, item.digest, f"{item.name} {item.version}".strip(), of)
            yield from (Material(source.address, source.sha256) for source in item.sources)


def _tools(app: App) -> Iterator[Material]:
    """What is installed on the machine and decides about bytes."""
    for name, version in tools_of(app).items():
        found = _digest_of_cannery() if name == "cannery" else _digest_of(name)
        yield Material(f"pkg:pypi/{name}@{version}", found, name, "the list of its files" if found else "")


def _digest_of_cannery() -> str:
    """A digest of cannery's own code, wherever it's installed or checked out."""
    top = Path(cannery.__file__).parent
    files = sorted(path for path in top.rglob("*.py") if path.is_file())
    lines = (f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(top).as_posix()}\n" for path in files)
    return Digest.of("".join(lines).encode()).hex


def _digest_of(name: str) -> str:
    """A digest of the files of a distribution as its wheel has them; empty where it doesn't tell."""
    record = importlib.metadata.distribution(name).read_text("RECORD") or ""
    lines = (line for line in record.splitlines() if ",sha256=" in line and ".dist-info/" not in line)
    told = "".join(f"{line}\n" for line in sorted(lines) if "__pycache__/" not in line and not line.startswith(".."))
    return Digest.of(told.encode()).hex if told else ""

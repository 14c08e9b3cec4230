"""From an app to its program in ``dist/``, by the recipe ``static`` or ``onefile``."""

from __future__ import annotations

import os
import posixpath
import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError, MachineError
from cannery.executable.program import Program
from cannery.image.folder import replace_folder
from cannery.image.platform import Platform, machine_platform
from cannery.image.tree import File, LazyTree, Tree
from cannery.workspace.digest import Digest
from cannery.workspace.files import replacing
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from cannery.executable.onefile.account import Share
    from cannery.executable.program import Form
    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["Frozen", "freeze"]

_CHUNK = 1 << 20


@dataclass(frozen=True, slots=True)
class Frozen:
    """A program and its place on disk."""

    app: App
    program: Program
    path: Path
    size: int  # bytes on disk, of everything
    digest: Digest  # of the executable
    shares: Sequence[Share] = ()  # what each part takes, where that was asked for


def freeze(
    app: App, workspace: Workspace, form: Form | None = None, *, suffix: str = "", sizes: bool = False
) -> Frozen:
    """Make the program of ``app``, and write it beside the image's archive: as ``NAME`` and the ``suffix``.

    By the recipe ``static`` where the settings name that, otherwise by ``onefile``, which has other forms than a static
    file, too. With ``sizes``, of a static file by ``onefile``, the result says how many bytes each part takes.
    """
    if sizes and (app.settings.recipe == "static" or form not in {None, "static"}):
        raise ConfigurationError(
            "there are sizes of what staticx compresses, and of nothing else",
            evidence=f"the recipe is {app.settings.recipe}, the form {form or 'static'}",
            step="leave --sizes out: the report says how large each part is by itself",
        )
    path = app.archive.parent / f"{posixpath.basename(app.name)}{suffix}"
    if path.is_dir() and not (form == "folder" and _is_program(path)):
        there = "a folder of that name is there"
        raise MachineError(f"cannot write {path}", evidence=there, step="remove it, or give it another name")
    made = _linked(app, form, workspace) if app.settings.recipe == "static" else _bundled(app, form, workspace)
    digest = _written(made, path)
    size = sum(file.content.size for _, file in made.tree.tree.files())
    return Frozen(made.app, made, path, size, digest, _shares(path, workspace) if sizes else [])


def _shares(path: Path, workspace: Workspace) -> list[Share]:
    from cannery.executable.onefile.account import account  # noqa: PLC0415
    from cannery.executable.onefile.tools import find_tools  # noqa: PLC0415

    return account(path, find_tools(), workspace.run)


def _bundled(app: App, form: Form | None, workspace: Workspace) -> Program:
    """The program by the recipe ``onefile``, which makes programs for this machine only."""
    from cannery.recipes.onefile import program  # noqa: PLC0415

    wanted, here = app.settings.one_platform, machine_platform()
    if wanted is not None and not Platform.parse(wanted).agrees(here):
        raise ConfigurationError(
            f"the recipe onefile makes no executable for {wanted} on {here}",
            step="build it there; or take --recipe static, which can",
        )
    return program(app, form or "static", workspace)


def _linked(app: App, form: Form | None, workspace: Workspace) -> Program:
    """The program by the recipe ``static``, which is one file."""
    from cannery.recipes.static import linked  # noqa: PLC0415
    from cannery.recipes.static_program.parts import PROGRAMS  # noqa: PLC0415

    if form not in {None, "static"}:
        raise ConfigurationError(
            f"the recipe static has no form {form!r}", step="leave --form out, or take --recipe onefile"
        )
    if app.settings.resources:
        raise ConfigurationError(
            "resources lie beside the program, and the recipe static makes one file that unpacks nothing",
            evidence=f"[tool.cannery]  resources = {list(app.settings.resources)}",
            step="move them into a package of the project, whose data goes in; or take --recipe onefile",
        )
    made = linked(app, workspace)
    name, whole = made.executable.name, made.executable.tree
    tree = LazyTree(
        key_of("program", code_key(__name__), whole.key),
        lambda: Tree({f"/{name}": whole.tree.entries[f"{PROGRAMS}/{name}"]}, whole.tree.decisions),
    )
    within = made.executable.contents()
    zones = "zoneinfo" in within.modules
    notes = (*made.notes, *_opened(made.executable.reach))
    if lost := sorted(made.resources.tree.entries):
        what = f"an image has files beside this program that the file lacks, such as {lost[0]}"
        notes += (f"{what}: move them into a package of the project, whose data goes in; or take --recipe onefile",)
    return Program(
        made.app,
        name,
        "static",
        tree,
        within.modules,
        within.files,
        made.platform,
        notes,
        zones,
        made.resources,
        within.snapshot,
    )


def _opened(reach: Reach) -> Iterator[str]:
    """A note on data that modules may open beside themselves, where a program of one file has nothing."""
    if reach.opened:
        yield (
            f"{reach.opened[0]} may be opened by its path, and {len(reach.opened) - 1} more: in a program of one file "
            "importlib.resources finds them, and open() doesn't; an image has them, and so has the recipe onefile"
        )


def _written(made: Program, path: Path) -> Digest:
    """Write the program to ``path``, in the place of an earlier one; returns the digest of the executable."""
    tree = made.tree.tree
    executable = tree.entries[f"/{made.name}"]
    assert isinstance(executable, File), made.name  # noqa: S101  # it's what was made
    if made.form == "folder":
        replace_folder(tree, path)
    else:
        _write_file(executable, path)
    return Digest.of_content(executable.content)


def _write_file(file: File, path: Path) -> None:
    with replacing(path, made_here=b"\x7fELF") as target, file.content.open() as source:
        shutil.copyfileobj(source, target, _CHUNK)
        os.fchmod(target.fileno(), file.mode)


def _is_program(folder: Path) -> bool:
    """True for a program in the form of a folder, which cannery may replace."""
    return (folder / "_internal").is_dir()

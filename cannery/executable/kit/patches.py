"""Sources unpacked, with a distribution's fixes: the patches of its source package, in the order of their series."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.executable.kit.sources import locate, unpack
from cannery.workspace.files import explained
from cannery.workspace.process import find

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.executable.kit.sources import PatchSeries, SourcePackage
    from cannery.workspace.workspace import Workspace

__all__ = ["unpacked_source"]


def unpacked_source(source: SourcePackage, folder: Path, workspace: Workspace) -> Path:
    """The one folder of ``source``, unpacked below ``folder``, with its patches applied.

    Raises :class:`ToolError` where an archive can't be had, or a patch doesn't fit.
    """
    path, _ = locate(source, workspace)
    (folder / "source").mkdir()
    top = unpack(path, folder / "source")
    if source.patches is not None:
        _apply(source.patches, top, folder, workspace)
    return top


def _apply(series: PatchSeries, top: Path, folder: Path, workspace: Workspace) -> None:
    path, _ = locate(series, workspace)
    (folder / "patches").mkdir()
    patches = unpack(path, folder / "patches") / "patches"
    program = find("patch", step="install it: apt-get install patch")
    # No fuzz: where the lines around a change are others, it may be another change.
    options = ("-p1", "--batch", "--forward", "--fuzz=0", "--no-backup-if-mismatch")
    for name in _names(patches):
        if name not in series.left_out:
            workspace.run((program, *options, "-i", str(patches / name)), cwd=top)


def _names(patches: Path) -> Iterator[str]:
    """The names in the series (quilt(1)): one a line, before options, and comments behind ``#``."""
    with explained(patches / "series", "read"):
        lines = (patches / "series").read_text(encoding="utf-8").splitlines()
    for line in lines:
        words = line.partition("#")[0].split()
        if words:
            yield words[0]

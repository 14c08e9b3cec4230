"""An app as a program of its own, however it was made."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.executable.static.snapshot import Snapshot
    from cannery.image.platform import Platform
    from cannery.image.tree import LazyTree
    from cannery.project.app import App

__all__ = ["Form", "Program"]

Form = Literal["folder", "file", "static"]


@dataclass(frozen=True, slots=True)
class Program:
    """An app that runs without anything else."""

    app: App  # with what its dependencies decide about its start
    name: str
    form: Form
    tree: LazyTree  # /NAME, and what lies beside it where it's a folder
    modules: Mapping[str, int]  # in the executable, with the bytes of each
    files: Mapping[str, int]  # what else there is in it or beside it, unpacked
    platform: Platform
    notes: tuple[str, ...]  # what the user had better know
    zones: bool  # whether it reads the system's time zones
    resources: LazyTree  # files of the project that it may look for in the folder where it starts, by their paths there
    snapshot: Snapshot | None = None  # where it starts from memory

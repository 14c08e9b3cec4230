"""Requirements installed by uv."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.project.trimmed_wheels import TELLING, refuse_trimmed
from cannery.workspace.process import find_uv

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.requirements import Requirements
    from cannery.workspace.workspace import Workspace

__all__ = ["install"]

_FILES: Final = {"pylock": "pylock.toml", "requirements": "requirements.txt"}
# Copies where that can't be. Links into uv's cache (UV_LINK_MODE=symlink) would lead to nothing when it's emptied.
_LINKS: Final = ("--link-mode", "hardlink")


def install(requirements: Requirements, where: tuple[str, ...], folder: Path, workspace: Workspace) -> None:
    """Have uv install ``requirements`` into ``folder``; ``where`` are its options that lead there, and to a Python.

    Raises :class:`ProgramFailed` where uv refuses, :class:`RequirementsError` where a wheel holds what leaves its
    folder.
    """
    with workspace.cache.scratch() as scratch:
        file = scratch / _FILES[requirements.form]
        file.write_text(requirements.text, encoding="utf-8")
        command = [find_uv(), "pip", "install", *where, "--requirements", str(file), "--no-build", "--color", "never"]
        command += [*_LINKS, *requirements.options]
        command += ["--preview-features=pylock"] if requirements.form == "pylock" else []
        command += ["--no-deps"] if requirements.complete else []
        command += ["--require-hashes"] if requirements.hashed and requirements.form == "requirements" else []
        done = workspace.run(command, cwd=requirements.source.parent, env=TELLING)
    names = (path.name.partition("-")[0] for path in folder.rglob("*.dist-info"))
    refuse_trimmed(done, requirements.source.name, names, workspace)
    for path in folder.rglob("*.dist-info/direct_url.json"):  # an address, which may have a password
        path.unlink()

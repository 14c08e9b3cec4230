"""A virtual environment with the requirements that an image was made of, made by uv and kept in the cache."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.installation import install
from cannery.project.uv_errors import explain
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.requirements import Requirements
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["environment"]


def environment(requirements: Requirements | None, python: Interpreter, workspace: Workspace) -> Path:
    """The folder of a virtual environment of ``python`` with the pinned ``requirements``, and nothing of the project.

    Raises :class:`RequirementsError` where they can't be installed for this machine, which they were for the image's.
    """
    key = key_of("environment", code_key(__name__), requirements.key if requirements else None, python.fingerprint)
    return workspace.cache.folder(
        "environments",
        key,
        lambda folder: _fill(folder, requirements, python, workspace),
        whole=lambda folder: (folder / "bin" / "python3").exists(),
        waiting=lambda: workspace.progress("waiting for another check to make the virtual environment"),
    )


def _fill(folder: Path, requirements: Requirements | None, python: Interpreter, workspace: Workspace) -> None:
    workspace.progress("making a virtual environment to compare with")
    command = [find_uv(), "venv", "--quiet", "--no-project", "--allow-existing", "--relocatable"]
    workspace.run([*command, "--python", str(python.executable), str(folder)])
    if requirements is None:
        return
    try:
        install(requirements, ("--python", str(folder / "bin" / "python3")), folder, workspace)
    except ProgramFailed as error:
        source = requirements.source.name
        what = f"the requirements of {source} can't be installed in a virtual environment"
        raise explain(error, what, f"correct {source}") from error

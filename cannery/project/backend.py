"""A project's metadata as its build backend tells it, where its files alone don't (PEP 517)."""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ProjectError
from cannery.project.local_projects import extra_config, files_of, revision_of
from cannery.project.tables import tables_of
from cannery.project.uv_errors import explain
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from cannery.workspace.workspace import Workspace

__all__ = ["BuiltMetadata", "own_metadata"]

_WORKER: Final = package_file("project/workers/ask_backend.py")
_DESCRIPTIONS: Final = ("pyproject.toml", "setup.cfg", "setup.py")
_LEGACY: Final = {"requires": ["setuptools"], "build-backend": "setuptools.build_meta:__legacy__"}  # PEP 517


@dataclass(frozen=True, slots=True)
class BuiltMetadata:
    """The ``.dist-info`` of a project."""

    folder_name: str  # tin-1.0.dist-info
    text: str  # METADATA (packaging.python.org, core metadata)
    entry_points: str  # entry_points.txt; empty where it has none

    @property
    def extras(self) -> set[str]:
        """The extras that the project has."""
        return set(self.values("Provides-Extra"))

    def values(self, name: str) -> list[str]:
        """The values of a field, in their order."""
        head = self.text.partition("\n\n")[0]
        return [
            line.partition(":")[2].strip() for line in head.splitlines() if line.lower().startswith(f"{name.lower()}:")
        ]

    def value(self, name: str) -> str:
        """The value of a field; empty where it has none."""
        return next(iter(self.values(name)), "")

    def wheel(self, folder: Path) -> Path:
        """Write a wheel that has nothing but this into ``folder``, for resolvers; returns its path."""
        from packaging.tags import Tag  # noqa: PLC0415  # all of it is needed only where something is resolved

        from cannery.image.content import Inline  # noqa: PLC0415
        from cannery.image.tree import File, Tree  # noqa: PLC0415
        from cannery.python.wheel import write_wheel  # noqa: PLC0415

        tree = Tree({f"/{self.folder_name}/METADATA": File(Inline(self.text.encode()))})
        return write_wheel(tree, folder, Tag("py3", "none", "any"))


def own_metadata(folder: Path, python: Path, workspace: Workspace) -> BuiltMetadata:
    """The metadata of the project in ``folder``; its backend is asked where a file that decides has changed.

    Those are the files at the top that aren't modules, those that the project's description names, and those that
    versions stand in. The backend runs in an environment of its own, which uv makes, under ``python``. Raises
    :class:`ProjectError` where it doesn't answer.
    """
    contents = [(name, path.read_bytes().hex()) for name, path in _deciding(folder)]
    key = key_of("metadata", code_key(__name__), str(folder), str(python), contents, revision_of(folder))
    known = workspace.cache.recall("metadata", key)
    if known is None:
        known = _ask(folder, python, workspace)
        workspace.cache.remember("metadata", key, known)
    return BuiltMetadata(known["folder_name"], known["text"], known["entry_points"])


def _deciding(folder: Path) -> Iterator[tuple[str, Path]]:
    described = "\n".join(_text(folder / name) for name in _DESCRIPTIONS)
    for name, path in files_of(folder):
        base = path.name
        decides = name in _DESCRIPTIONS or (
            "/" not in name and path.suffix in {"", ".cfg", ".in", ".md", ".rst", ".toml", ".txt"}
        )
        named = name in described or base == "__init__.py" or "version" in base or "about" in base
        if (decides or named) and path.is_file():
            yield name, path


def _ask(folder: Path, python: Path, workspace: Workspace) -> dict[str, str]:
    workspace.progress("asking the build backend for the project's metadata")
    system = _build_system(folder)
    requires, backend, paths = system["requires"], system["build-backend"], system.get("backend-path", [])
    with workspace.cache.scratch() as scratch:
        env = extra_config(scratch / "setuptools")
        out = scratch / "metadata"
        out.mkdir()
        arguments = [str(_WORKER), str(folder), backend, str(out)]
        answer = _run(folder, python, requires, [*arguments, "lacking", *paths], env, workspace)
        if more := answer.get("requires"):
            answer = _run(folder, python, [*requires, *more], [*arguments, "complete", *paths], env, workspace)
        made = Path(answer["metadata"])
        return {
            "folder_name": made.name,
            "text": _text(made / "METADATA"),
            "entry_points": _text(made / "entry_points.txt"),
        }


def _run(
    folder: Path, python: Path, requires: Sequence[str], arguments: list[str], env: dict[str, str], workspace: Workspace
) -> dict[str, Any]:
    command = [find_uv(), "run", "--quiet", "--color=never", "--isolated", "--no-project", f"--python={python}"]
    command += [f"--with={requirement}" for requirement in requires]
    try:
        workspace.run([*command, "--", "python", *arguments], cwd=folder, env=env)
    except ProgramFailed as error:
        step = f"see what it says:  uv build --wheel {folder}"
        what = f"the build backend of {folder.name} ({arguments[2]}) doesn't tell its metadata"
        told = explain(error, what, step)
        raise ProjectError(told.what, evidence=told.evidence, step=told.step) from error
    answer: dict[str, Any] = json.loads((Path(arguments[3]) / "answer.json").read_text(encoding="utf-8"))
    return answer


def _build_system(folder: Path) -> dict[str, Any]:
    """``[build-system]``, or setuptools where there is none, or none that says which backend (PEP 517)."""
    table = tables_of(folder / "pyproject.toml").get("build-system", {})
    return {**_LEGACY, **table} if isinstance(table, dict) else _LEGACY


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8", errors="replace") if path.is_file() else ""

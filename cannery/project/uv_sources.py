"""What ``[tool.uv]`` says of a project's surroundings: projects of this machine, and the workspace that it lies in."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING, Any

from cannery.project.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["asks_backends", "is_static", "local_sources", "names_indexes", "workspace_members", "workspace_root"]


def is_static(pyproject: Path) -> bool:
    """True where the file itself says what the project requires, so that no backend need be asked (PEP 621)."""
    return _says(pyproject, "dependencies", "optional-dependencies")


def asks_backends(folder: Path) -> bool:
    """True where uv may have to ask the backend of a project that ``[tool.uv.sources]`` in ``folder`` names.

    It does for what lies in Git, and for folders whose requirements, or version, no file tells.
    """
    paths = local_sources(folder)
    if any("git" in source for each in (folder, *paths) for source in _named_sources(each)):
        return True
    return not all(is_static(each / "pyproject.toml") and _says(each / "pyproject.toml", "version") for each in paths)


def local_sources(folder: Path) -> tuple[Path, ...]:
    """The folders of projects that ``[tool.uv.sources]`` in ``folder`` names, and of those that these name."""
    found: dict[Path, None] = {}
    pending = [folder]
    while pending:
        for path in _sources(pending.pop()):
            if path not in found and path.is_dir():
                found[path] = None
                pending.append(path)
    return tuple(found)


def workspace_root(folder: Path) -> Path | None:
    """The root of the workspace that the project in ``folder`` is a member of; None where it's none, or the root."""
    for above in folder.parents:
        workspace = _tool(above / "pyproject.toml").get("workspace")
        if isinstance(workspace, dict):
            path = folder.relative_to(above).as_posix()
            named = any(fnmatch.fnmatchcase(path, pattern.rstrip("/")) for pattern in workspace.get("members", []))
            left_out = any(fnmatch.fnmatchcase(path, pattern) for pattern in workspace.get("exclude", []))
            return above if named and not left_out else None
    return None


def workspace_members(folder: Path) -> tuple[Path, ...]:
    """The projects of the workspace that ``folder`` is the root or a member of, the root's own first; else none."""
    root = workspace_root(folder) or folder
    workspace = _tool(root / "pyproject.toml").get("workspace")
    if not isinstance(workspace, dict):
        return ()
    found = (path for pattern in workspace.get("members", []) for path in sorted(root.glob(pattern.rstrip("/"))))
    own = (root,) if isinstance(tables_of(root / "pyproject.toml").get("project"), dict) else ()
    members = (path for path in found if (path / "pyproject.toml").is_file() and workspace_root(path) == root)
    return tuple(dict.fromkeys((*own, *members)))


def names_indexes(folder: Path) -> bool:
    """True where the project in ``folder`` has indexes of its own (docs.astral.sh/uv, Package indexes)."""
    return (
        not _tool(folder / "pyproject.toml")
        .keys()
        .isdisjoint({"index", "index-url", "extra-index-url", "find-links", "no-index"})
    )


def _sources(folder: Path) -> Iterator[Path]:
    named = list(_named_sources(folder))
    yield from ((folder / source["path"]).resolve() for source in named if "path" in source)
    if any(source.get("workspace") for source in named):
        root = workspace_root(folder) or folder
        patterns = _tool(root / "pyproject.toml").get("workspace", {}).get("members", [])
        yield from (path for pattern in patterns for path in sorted(root.glob(pattern)) if path != folder)


def _named_sources(folder: Path) -> Iterator[dict[str, Any]]:
    """The sources that the project in ``folder``, or the workspace that it lies in, names."""
    root = workspace_root(folder) or folder
    sources = {
        **_tool(root / "pyproject.toml").get("sources", {}),
        **_tool(folder / "pyproject.toml").get("sources", {}),
    }
    for value in sources.values():
        yield from value if isinstance(value, list) else [value]


def _says(pyproject: Path, *fields: str) -> bool:
    """True where ``[project]`` is there, and leaves none of ``fields`` to its backend."""
    project = tables_of(pyproject).get("project")
    dynamic = project.get("dynamic", []) if isinstance(project, dict) else []
    return isinstance(project, dict) and not set(fields).intersection(dynamic)


def _tool(pyproject: Path) -> dict[str, Any]:
    """``[tool.uv]``; empty where there is none."""
    tool = tables_of(pyproject).get("tool", {}).get("uv", {})
    return tool if isinstance(tool, dict) else {}

"""The members of a workspace that changed since a commit: their own files, or those of members that they require."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ConfigurationError
from cannery.project.tables import tables_of
from cannery.workspace.process import ProgramFailed, find

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["changed_members"]

_NAME: Final = re.compile(r"\s*([A-Za-z0-9][A-Za-z0-9._-]*)")  # begins a requirement (PEP 508)


def changed_members(members: Collection[Path], top: Path, revision: str, run: Runner) -> frozenset[Path]:
    """Those of ``members``, folders of the workspace in ``top``, that are not as they were at ``revision``.

    A file that is none of a member's may be anybody's, such as a lock: where one has changed, all have. Raises
    :class:`ConfigurationError` where Git can't tell what has changed.
    """
    inner = [each for each in members if each != top]
    changed: set[Path] = set()
    for path in _changed(top, revision, run):
        owner = next((each for each in inner if path.is_relative_to(each)), None)
        if owner is None:
            return frozenset(members)
        changed.add(owner)
    named = {_normal(name): each for each in members if isinstance(name := _project(each).get("name"), str)}
    uses = {each: {named[name] for name in _required(each) if name in named} for each in members}
    while more := {each for each in members if each not in changed and not changed.isdisjoint(uses[each])}:
        changed |= more
    return frozenset(each for each in members if each in changed or (each == top and changed))


def _changed(top: Path, revision: str, run: Runner) -> Iterator[Path]:
    """The files below ``top`` that differ from ``revision``, and those that Git doesn't know yet."""
    git = [find("git", step="install it, or leave --since out"), "-C", str(top)]
    try:
        differ = ("diff", "--name-only", "-z", "--relative", "--end-of-options", revision, "--")
        for words in (differ, ("ls-files", "-zo", "--exclude-standard")):
            yield from (top / name for name in run([*git, *words]).stdout.split("\0") if name)
    except ProgramFailed as error:
        raise ConfigurationError(
            f"Git can't tell what changed since {revision}",
            evidence=error.stderr.strip(),
            step="name a commit that this clone has; a shallow one lacks most:  git fetch --unshallow",
        ) from error


def _required(member: Path) -> Iterator[str]:
    """The names of what a member requires, whatever for."""
    project, groups = _project(member), tables_of(member / "pyproject.toml").get("dependency-groups", {})
    optional = project.get("optional-dependencies", {})
    lists = [project.get("dependencies", []), *_lists(optional), *_lists(groups)]
    for text in (text for each in lists for text in each if isinstance(text, str)):
        if match := _NAME.match(text):
            yield _normal(match[1])


def _lists(table: object) -> list[list[Any]]:
    return [each for each in table.values() if isinstance(each, list)] if isinstance(table, dict) else []


def _project(member: Path) -> dict[str, Any]:
    project = tables_of(member / "pyproject.toml").get("project")
    return project if isinstance(project, dict) else {}


def _normal(name: str) -> str:
    """The name as indexes compare it (packaging.python.org, name normalization)."""
    return re.sub(r"[-_.]+", "-", name).lower()

"""Where a project's files come from: a repository of Git, a commit, and what of it no commit has."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import ToolError
from cannery.project.requirements import without_credentials
from cannery.workspace.process import ProgramFailed, find

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.process import Runner

__all__ = ["GitSource", "checked_out", "git_source", "repository_with"]

_REMOTE: Final = re.compile(r"(?:https?|ssh|git)://|[^/\\:]+:(?!\\)")  # an address, or HOST:PATH as scp has it


@dataclass(frozen=True, slots=True)
class GitSource:
    """A project in a repository, as it was at a commit."""

    repository: str  # its address, without a password; empty where it has none but this machine's
    commit: str
    folder: str  # of the project in it; empty for its top
    modified: tuple[str, ...] = ()  # files of the repository that are not as the commit has them


def git_source(folder: Path, run: Runner, without: tuple[str, ...] = ()) -> GitSource | None:
    """Where the project in ``folder`` comes from; None where it's in no repository of Git, or nothing is committed.

    Files that no commit has and whose topmost folder in the project is one of ``without`` don't count: results.
    """
    try:
        git = [find("git", step=""), "-C", str(folder)]
        commit, prefix = run([*git, "rev-parse", "HEAD", "--show-prefix"]).stdout.splitlines()
        status = run([*git, "status", "--porcelain=v1", "-z", "--no-renames", "--untracked-files=all"]).stdout
    except (ToolError, ValueError):
        return None
    made = tuple(f"{prefix}{each}/" for each in without)
    modified = (
        each[3:] for each in status.split("\0") if each and not (each[:2] == "??" and each[3:].startswith(made))
    )
    return GitSource(_origin(git, run), commit, prefix.rstrip("/"), tuple(sorted(modified)))


def _origin(git: list[str], run: Runner) -> str:
    """The address that others know the repository by; empty where it was cloned from a folder."""
    try:
        address = without_credentials(run([*git, "remote", "get-url", "origin"]).stdout.strip())
    except ProgramFailed:
        return ""
    return address if _REMOTE.match(address) else ""


def repository_with(commit: str, folder: Path, run: Runner) -> str | None:
    """The repository that ``folder`` lies in, where it has ``commit``; None where it hasn't, or there is none."""
    try:
        git = [find("git", step=""), "-C", str(folder)]
        run([*git, "cat-file", "-e", "--end-of-options", f"{commit}^{{commit}}"])
        return run([*git, "rev-parse", "--show-toplevel"]).stdout.rstrip("\n")
    except ToolError:
        return None


def checked_out(repository: str, commit: str, into: Path, run: Runner) -> None:
    """Write the files that ``repository``, an address or a folder, has at ``commit`` into the folder ``into``.

    Raises :class:`ProgramFailed` where it can't be had, :class:`ToolError` without Git.
    """
    git = find("git", step="install it: the project's files come from a repository")
    env = {"GIT_TERMINAL_PROMPT": "0"}
    run([git, "clone", "--quiet", "--no-checkout", "--", repository, str(into)], env=env)
    run([git, "-C", str(into), "checkout", "--quiet", "--detach", commit, "--"], env=env)

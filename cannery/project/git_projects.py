"""Projects in repositories of Git that an app requires (``git+https://…``), as the wheels that their backends make."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.errors import RequirementsError
from cannery.project.local_projects import LocalWheel, build_wheel, kept_wheel
from cannery.project.requirements import without_credentials
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed, find

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace

__all__ = ["git_wheel"]


def git_wheel(url: str, commit: str, subdirectory: str, python: Path, workspace: Workspace) -> LocalWheel:
    """The wheel of the project in ``subdirectory`` of a repository at ``commit``, built for ``python`` the first time.

    Raises :class:`RequirementsError` where the repository can't be had, or the project isn't built.
    """
    key = key_of("git wheel", code_key(__name__), without_credentials(url), commit, subdirectory, str(python))

    def fill(out: Path) -> None:
        workspace.progress(f"fetching {without_credentials(url)}")
        with workspace.cache.scratch() as scratch:
            clone = scratch / (url.rstrip("/").rpartition("/")[2].removesuffix(".git") or "repository")
            _clone(url, commit, clone, workspace)
            build_wheel(clone / subdirectory, out, python, workspace)

    return kept_wheel(workspace.cache.folder("local-wheels", key, fill))


def _clone(url: str, commit: str, folder: Path, workspace: Workspace) -> None:
    """Clone a repository with its history and tags, which versions may be derived from."""
    git = find("git", step="install it: the requirements name a repository")
    env = {"GIT_TERMINAL_PROMPT": "0"}
    try:
        workspace.run([git, "clone", "--quiet", "--no-checkout", url, str(folder)], env=env)
        workspace.run([git, "-C", str(folder), "checkout", "--quiet", "--detach", commit], env=env)
    except ProgramFailed as error:
        raise RequirementsError(
            f"{url} can't be cloned at {commit[:12]}",
            evidence=error.stderr.strip(),
            step="see that Git can reach it from here without asking for a password",
        ) from error

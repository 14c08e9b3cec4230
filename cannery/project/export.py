"""Requirements files written from a lock, as ``nox -s export`` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.project.app import RequirementsFile
from cannery.project.requirements import read_requirements
from cannery.project.settings import ExportSettings
from cannery.workspace.files import replacing
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path
    from typing import Any

    from cannery.workspace.process import Runner

__all__ = ["TEST_NAMES", "export_lock", "usual_exports"]

TEST_NAMES = ("test", "tests", "dev")  # usual names of the extras and the groups that tests need


def export_lock(folder: Path, exports: Mapping[str, ExportSettings], *, run: Runner = run) -> list[Path]:
    """Write the files ``exports`` from the lock in ``folder``, and return their paths; all are written, or none.

    ``exports`` maps each file's name to what it holds. Raises as :func:`read_requirements` does, and
    :class:`ConfigurationError` where there is no lock.
    """
    lock = _find_lock(folder)
    texts = {folder / name: _export(lock, settings, run) for name, settings in exports.items()}
    for path, text in texts.items():
        with replacing(path) as stream:
            stream.write(text.encode())
    return list(texts)


def usual_exports(pyproject: Mapping[str, Any]) -> dict[str, ExportSettings]:
    """The exports of a project without ``[tool.cannery.export]``: its requirements, and those of its tests."""
    extras = pyproject.get("project", {}).get("optional-dependencies", {})
    groups = {**pyproject.get("dependency-groups", {}), **pyproject.get("tool", {}).get("poetry", {}).get("group", {})}
    tests = ExportSettings(
        extras=tuple(name for name in TEST_NAMES if name in extras),
        groups=tuple(name for name in TEST_NAMES if name in groups),
    )
    return {"requirements.txt": ExportSettings(), "requirements-test.txt": tests}


def _find_lock(folder: Path) -> RequirementsFile:
    for kind in ("uv", "poetry"):
        if (path := folder / f"{kind}.lock").is_file():
            return RequirementsFile(path, kind)
    raise ConfigurationError(
        "there is no lock to export", evidence=f"no uv.lock and no poetry.lock in {folder}", step="run `uv lock`"
    )


def _export(lock: RequirementsFile, settings: ExportSettings, run: Runner) -> str:
    requirements = read_requirements(
        lock, project=settings.project, extras=settings.extras, groups=settings.groups, run=run
    )
    return f"# Made from {lock.path.name} by `nox -s export`: change the lock and run it again.\n{requirements.text}"

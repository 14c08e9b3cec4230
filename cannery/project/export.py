"""Requirements files written from a lock, as ``nox -s export`` does it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.project import lock_readers, poetry_lock
from cannery.project.app import RequirementsFile
from cannery.project.extras import check_names
from cannery.project.requirements import each, without_credentials
from cannery.project.settings import ExportSettings
from cannery.project.uv_errors import explain
from cannery.project.uv_sources import names_indexes, workspace_root
from cannery.workspace.files import replacing
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path
    from typing import Any

    from cannery.workspace.workspace import Workspace

__all__ = ["TEST_NAMES", "export_lock", "export_text", "export_with", "find_lock", "usual_exports"]

TEST_NAMES = ("test", "tests", "dev")  # usual names of the extras and the groups that tests need


def export_lock(folder: Path, exports: Mapping[str, ExportSettings], workspace: Workspace) -> list[Path]:
    """Write the files ``exports`` from the lock in ``folder``, and return their paths; all are written, or none.

    ``exports`` maps each file's name to what it holds. Raises as :func:`export_text` does, and
    :class:`ConfigurationError` where there is no lock.
    """
    lock = find_lock(folder)
    if lock is None:
        evidence = f"no uv.lock and no poetry.lock in {folder}"
        raise ConfigurationError("there is no lock to export", evidence=evidence, step=_step(folder))
    texts = {folder / name: _export(lock, folder, settings, workspace) for name, settings in exports.items()}
    for path, text in texts.items():
        with replacing(path) as stream:
            stream.write(text.encode())
    return list(texts)


def usual_exports(pyproject: Mapping[str, Any]) -> dict[str, ExportSettings]:
    """The exports of a project without ``[tool.cannery.export]``: its requirements, and those of its tests."""
    return {"requirements.txt": ExportSettings(), "requirements-test.txt": export_with(pyproject, TEST_NAMES)}


def export_with(pyproject: Mapping[str, Any], names: Iterable[str]) -> ExportSettings:
    """The project's requirements, with those of the extras and the groups that it has of ``names``."""
    poetry = pyproject.get("tool", {}).get("poetry", {})
    extras = {**pyproject.get("project", {}).get("optional-dependencies", {}), **poetry.get("extras", {})}
    before_groups: dict[str, Any] = {"dev": {}} if "dev-dependencies" in poetry else {}
    groups = {**pyproject.get("dependency-groups", {}), **poetry.get("group", {}), **before_groups}
    wanted = tuple(names)
    return ExportSettings(
        extras=tuple(name for name in wanted if name in extras), groups=tuple(name for name in wanted if name in groups)
    )


def find_lock(folder: Path) -> RequirementsFile | None:
    """The lock of the project in ``folder`` that exports are made from, uv's or Poetry's; None without one."""
    for place in filter(None, (folder, workspace_root(folder))):
        if (path := place / "uv.lock").is_file():
            return RequirementsFile(path, "uv")
    path = folder / "poetry.lock"
    return RequirementsFile(path, "poetry") if path.is_file() else None


def export_text(lock: RequirementsFile, folder: Path, settings: ExportSettings, workspace: Workspace) -> str:
    """The requirements of the project in ``folder``, and those of extras and groups, as a requirements file.

    Raises :class:`ConfigurationError` for an extra or a group that doesn't exist, :class:`RequirementsError` for a lock
    that is out of date or unreadable.
    """
    _check(lock, folder, settings)
    if lock.kind == "poetry":
        return poetry_lock.export(lock.path.parent, _of_poetry(settings), workspace)
    env = {"UV_PYTHON_DOWNLOADS": "never"}  # none is needed to read a lock
    try:
        return workspace.run([find_uv(), *_of_uv(lock, folder, settings)], cwd=lock.path.parent, env=env).stdout
    except ProgramFailed as error:
        raise explain(error, f"cannot tell the requirements from {lock.path.name}", lock_readers.STEP) from error


def _check(lock: RequirementsFile, folder: Path, settings: ExportSettings) -> None:
    if not settings.project and settings.extras:
        raise ConfigurationError(
            f"the extra {settings.extras[0]} belongs to the project, which is left out",
            step="take the project in as well (project = true), or leave out the extras",
        )
    if not settings.project and not settings.groups:
        step = "take the project in (project = true), or name a group"
        raise ConfigurationError(f"nothing is asked of {lock.path.name}", step=step)
    check_names(lock, folder, settings.extras, settings.groups)


def _of_uv(lock: RequirementsFile, folder: Path, settings: ExportSettings) -> list[str]:
    root = lock.path.parent
    indexes = names_indexes(folder) or names_indexes(root)
    return [
        *lock_readers.EXPORT,
        *lock_readers.OF_PROJECT,
        "--format=requirements.txt",
        "--no-annotate",
        "--no-editable",
        *(("--quiet", "--emit-index-url", "--emit-find-links") if indexes else ()),
        *lock_readers.locked_option(),
        *lock_readers.member_option(folder, root),
        *each("--extra", settings.extras),
        *each("--group" if settings.project else "--only-group", settings.groups),
    ]


def _of_poetry(settings: ExportSettings) -> list[str]:
    return [*each("--extras", settings.extras), *each("--with" if settings.project else "--only", settings.groups)]


def _step(folder: Path) -> str:
    """How to come to a lock in the project in ``folder``, with the tool that it uses."""
    if (folder / "Pipfile").is_file():
        return "Pipenv writes such files itself: pipenv requirements --hash > requirements.txt"
    if (folder / "pdm.lock").is_file():
        return "PDM writes such files itself: pdm export -o requirements.txt"
    pyproject = folder / "pyproject.toml"
    text = pyproject.read_text("utf-8", "replace") if pyproject.is_file() else ""
    if "[tool.poetry" in text:
        return "run `poetry lock`"
    if "[project]" in text:
        return "run `uv lock`"
    return (
        "write what is required into requirements.in, and run: "
        "uv pip compile --generate-hashes requirements.in -o requirements.txt"
    )


def _export(lock: RequirementsFile, folder: Path, settings: ExportSettings, workspace: Workspace) -> str:
    text = without_credentials(export_text(lock, folder, settings, workspace))
    return f"# Made from {lock.path.name} by `nox -s export`: change the lock and run it again.\n{text}"

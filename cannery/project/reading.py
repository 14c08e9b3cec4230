"""Requirements read from wherever a project keeps them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from msgspec.structs import replace

from cannery.project.extras import check_names

if TYPE_CHECKING:
    from cannery.project.requirements import Reading, Wanted

__all__ = ["reading_of"]


def reading_of(wanted: Wanted) -> Reading:
    """The requirements of the project, with those of the extras and the groups (PEP 735) that are ``wanted``.

    What no lock pins is resolved when the reading is asked. Raises :class:`ConfigurationError` for an extra or a group
    that doesn't exist, :class:`RequirementsError` for a file that can't be read, and when it's asked for a lock that is
    out of date, and for versions that don't fit.
    """
    check_names(wanted.file, wanted.folder, wanted.extras, wanted.groups)
    match wanted.file.kind:
        case "uv":
            from cannery.project.lock_readers import from_uv  # noqa: PLC0415  # each project needs one of these

            return from_uv(wanted)
        case "poetry":
            from cannery.project.poetry_lock import from_poetry  # noqa: PLC0415

            return from_poetry(wanted)
        case "pylock":
            from cannery.project.lock_readers import from_pylock  # noqa: PLC0415

            return from_pylock(wanted)
        case "script":
            from cannery.project.lock_readers import from_script_lock  # noqa: PLC0415

            return from_script_lock(wanted) or _of_lines(wanted)
        case _:
            return _of_lines(wanted)


def _of_lines(wanted: Wanted) -> Reading:
    """The requirements that a file has as lines, or that uv reads from the project's or a script's description."""
    from cannery.project.line_readers import reading_of_lines  # noqa: PLC0415
    from cannery.project.requirement_lines import RequirementLines  # noqa: PLC0415
    from cannery.project.requirements_file import read_lines  # noqa: PLC0415

    path, alone = wanted.file.path, replace(wanted, extras=(), groups=())
    match wanted.file.kind:
        case "project":
            from cannery.project.resolution import resolved  # noqa: PLC0415

            return resolved(wanted, RequirementLines([path]), project=True)
        case "script":
            from cannery.project.resolution import resolved  # noqa: PLC0415

            return resolved(wanted, RequirementLines([path]), sources=(str(path),))
        case "requirements":
            return reading_of_lines(alone, read_lines(path, wanted.folder))
        case kind:
            from cannery.project.other_tools import lines_of  # noqa: PLC0415

            return reading_of_lines(alone, lines_of(path, kind, wanted.groups))

"""The versions that go into the image: those of the lock, or those that were resolved here the first time."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING, Any

from msgspec.structs import replace

from cannery.errors import RequirementsError
from cannery.project.pep508 import allows
from cannery.project.reading import reading_of
from cannery.project.requirements import Requirements, Wanted, with_credentials, without_credentials
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.project.app import App, RequirementsFile
    from cannery.project.local_projects import LocalWheel
    from cannery.project.requirements import Reading
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["resolve"]

_REQUIRES_PYTHON = re.compile(r"""^requires-python\s*=\s*["'](?P<versions>[^"']*)["'].*\n?""", re.MULTILINE)


def resolve(file: RequirementsFile, app: App, target: WheelTarget, workspace: Workspace) -> Requirements:
    """The pinned requirements of ``file``, remembered until it or a file that it includes has changed.

    What no lock pins is resolved once and then stays, until ``workspace.refresh`` asks for today's versions. The
    projects of this machine among them are built. Raises :class:`RequirementsError` where uv can't read or resolve
    them, or a project can't be built.
    """
    settings = app.settings
    wanted = Wanted(file, app.folder, settings.extras, settings.groups, target.executable, target.options, workspace)
    reading = reading_of(wanted)
    found = reading.ask() if reading.key is None else _remembered(reading, wanted, target)
    found = replace(found, options=(*found.options, *reading.options))
    return _with_local_wheels(_for_target(found, target), target.executable, workspace)


def _for_target(found: Requirements, target: WheelTarget) -> Requirements:
    """The requirements without the lock's ``requires-python``, which uv holds against a Python of this machine.

    Raises :class:`RequirementsError` where the target's version isn't allowed.
    """
    head, packages, rest = found.text.partition("[[")
    match = _REQUIRES_PYTHON.search(head)
    if match is None:
        return found
    version = ".".join(map(str, target.version))
    if not allows(match["versions"], version):
        raise RequirementsError(
            f"{found.source.name} is for Python {match['versions']}, and not for {version}",
            evidence=match[0].strip(),
            step='take another Python:  [tool.cannery]  python = "3.12"  (or another base), or lock anew',
        )
    return replace(found, text=_REQUIRES_PYTHON.sub("", head) + packages + rest)


def _remembered(reading: Reading, wanted: Wanted, target: WheelTarget) -> Requirements:
    """The answer of ``reading``, kept without passwords; those come from the project's files each time."""
    workspace, file = wanted.workspace, wanted.file
    asked = (file.kind, str(file.path), wanted.extras, wanted.groups, target.version, target.options)
    key = key_of("resolution", code_key(__name__), reading.key, asked)
    known = None if workspace.refresh else workspace.cache.recall("resolutions", key)
    if known is None:
        workspace.progress(f"reading {file.path.name}")
        answer = reading.ask()
        names = ("form", "locked", "universal", "hashed", "complete", "options", "notes")
        known = {name: getattr(answer, name) for name in names}
        known |= {"source": str(answer.source), "text": without_credentials(answer.text)}
        known["options"] = [without_credentials(option) for option in answer.options]
        workspace.cache.remember("resolutions", key, known)
    return _recalled(known, reading.secrets)


def _with_local_wheels(found: Requirements, python: Path, workspace: Workspace) -> Requirements:
    """The requirements with a wheel in place of each project that is a folder of this machine, or lies in Git."""
    if not any(word in found.text for word in ("directory", "file:", "git+", "vcs")):
        return found
    from cannery.project.git_projects import git_wheel  # noqa: PLC0415  # of few apps
    from cannery.project.line_readers import with_local_wheels  # noqa: PLC0415
    from cannery.project.local_projects import local_wheel  # noqa: PLC0415
    from cannery.project.pylock import with_wheels  # noqa: PLC0415

    def of_folder(folder: Path) -> LocalWheel:
        return local_wheel(folder, python, workspace)

    def of_repository(url: str, commit: str, subdirectory: str) -> LocalWheel:
        return git_wheel(url, commit, subdirectory, python, workspace)

    if found.form == "requirements":
        return replace(found, text=with_local_wheels(found.text, found.source, of_folder, of_repository))
    return replace(found, text=with_wheels(found.text, found.source.name, of_folder, of_repository))


def _recalled(known: Mapping[str, Any], secrets: str) -> Requirements:
    return Requirements(
        source=Path(known["source"]),
        text=with_credentials(known["text"], secrets),
        form=known["form"],
        locked=known["locked"],
        universal=known["universal"],
        hashed=known["hashed"],
        complete=known["complete"],
        options=tuple(with_credentials(option, secrets) for option in known["options"]),
        notes=tuple(known["notes"]),
    )

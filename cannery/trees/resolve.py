"""The versions that go into the image: those of the lock, or those that were resolved here the first time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.requirements import Requirements, inputs, read_requirements
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.project.app import RequirementsFile
    from cannery.project.settings import Settings
    from cannery.python.interpreter import WheelTarget
    from cannery.workspace.workspace import Workspace

__all__ = ["resolve"]


def resolve(file: RequirementsFile, settings: Settings, target: WheelTarget, workspace: Workspace) -> Requirements:
    """The pinned requirements of ``file``, remembered until it or a file that it includes has changed.

    What no lock pins is resolved once and then stays, until ``workspace.refresh`` asks for today's versions. Raises
    :class:`RequirementsError` where uv can't read or resolve them.
    """
    contents = [path.read_bytes().hex() if path.is_file() else None for path in inputs(file)]
    key = key_of(
        "resolution",
        code_key(__name__),
        file.kind,
        contents,
        settings.extras,
        settings.groups,
        target.version,
        target.options,
    )
    known = None if workspace.refresh else workspace.cache.recall("resolutions", key)
    if known is not None:
        options, local = tuple(known["options"]), tuple(known["local"])
        return Requirements(file.path, known["text"], known["locked"], known["hashed"], options, local)
    workspace.progress(f"reading {file.path.name}")
    found = read_requirements(
        file,
        extras=settings.extras,
        groups=settings.groups,
        python=target.executable,
        target=target.options,
        run=workspace.run,
    )
    record = {name: getattr(found, name) for name in ("text", "locked", "hashed", "options", "local")}
    workspace.cache.remember("resolutions", key, record)
    return found

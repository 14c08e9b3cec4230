"""The analysis: from places of modules and a start to what is reached, remembered as long as nothing changes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from cannery.imports.model import Reach
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cannery.imports.graph import Start
    from cannery.imports.model import Host
    from cannery.imports.places import Place
    from cannery.imports.trace import Traced
    from cannery.workspace.workspace import Workspace

__all__ = ["reach"]


def reach(
    places: Sequence[Place],
    starts: Iterable[Start],
    host: Host,
    workspace: Workspace,
    *,
    script: str | None = None,
    mains: Sequence[str] = (),
    called: Sequence[tuple[str, str]] = (),
    include: Sequence[str] = (),
    traced: Traced = (),
    named: Sequence[str] = (),
) -> Reach:
    """All that a program reaches in ``places``, which are in the order of ``sys.path``; it begins with ``starts``.

    All of the app's own modules are reached, as an app may look for modules in its own folders. ``script`` is the path
    of the file that is run, ``mains`` are others that can be: modules by name, files by path. ``called`` has modules
    with the names of what is started or served of them, ``include`` modules and patterns such as ``package.*``,
    ``traced`` the pairs of importer and module that a run has shown, ``named`` names in the app's files of settings, of
    which those of installed modules count. Raises :class:`ConfigurationError` for a pattern
    that matches no module.
    """
    started: list[Start] = [(name, "started") for name in (*host.started, *(["__main__"] if script else []))]
    begins = (*starts, *started)
    where = [(place.kind, place.tree.key, place.roots) for place in places]
    asked = msgspec.to_builtins(host, order="sorted")
    given = (script, tuple(mains), tuple(called), tuple(include), traced, tuple(named))
    key = key_of("reach", code_key(__name__), where, begins, asked, given)
    if (known := workspace.cache.recall("reach", key)) is not None:
        return msgspec.convert(known, Reach)
    from cannery.imports.search import Question, search  # noqa: PLC0415  # slow to import, where nothing has changed

    workspace.progress("reading imports")
    found = search(Question(places, begins, *given), host, workspace)
    workspace.cache.remember("reach", key, msgspec.to_builtins(found))
    return found

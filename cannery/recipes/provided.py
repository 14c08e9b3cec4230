"""What an app imports compared with what it has: an import that fails ends a build, or is told."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.errors import ProjectError
from cannery.project.modules import find_module, named_by
from cannery.trees.unprovided import Provision, import_findings

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.trees.app import AppTree
    from cannery.trees.unprovided import Unprovided
    from cannery.workspace.workspace import Workspace

__all__ = ["check_imports", "provision_of"]

_SHOWN = 8  # lines of evidence, or of notes
_EXCLUDED = "[tool.cannery] exclude leaves it out"
_NOT_MADE = "the project has no such module"
_NOT_REQUIRED = "no requirement brings it"
_NOT_BUILT = "the Python that goes in was built without it"
_STEPS = {
    _EXCLUDED: "let exclude name less",
    _NOT_MADE: "add it, or where the project's build makes it, see that it does: uv build --wheel",
    _NOT_REQUIRED: "add what has it to the requirements",
    _NOT_BUILT: "take one that has it: another recipe than static, or another Python ([tool.cannery] python, runtime)",
}


def provision_of(own: AppTree, wheels: LazyTree, python: Interpreter) -> Provision:
    """What an app can import with ``python``, a Python on this machine."""
    return Provision(own.code, wheels, python.image_site_packages, python.version, python)


def check_imports(app: App, provision: Provision, workspace: Workspace) -> tuple[str, ...]:
    """Notes on imports that fail in some calls, or in modules that the program doesn't import; on settings, too.

    Raises :class:`ProjectError` for those without which the program can't start, unless ``allow-missing`` names them.
    """
    allowed = app.settings.allow_missing
    findings = import_findings(app, provision, workspace)
    found = [each for each in findings.unprovided if not named_by(each.module, allowed)]
    if needed := [each for each in found if each.needed]:
        raise _refusal(app, needed)
    unknown = (
        f"keep-sources or include names {name!r}, and there is no such module{'; ' if hint else ''}{hint}"
        for name, hint in findings.unknown
    )
    return (*_notes(found), *unknown)


def _refusal(app: App, needed: Sequence[Unprovided]) -> ProjectError:
    first, *others = needed
    has = f"the requirements are those of {app.requirements.path.name}" if app.requirements else "no requirements found"
    shown = [f"{_at(each)} imports {each.module}" for each in others]
    lack = _lack(app, first)
    return ProjectError(
        f"{_at(first)} imports {first.module}, and {lack}",
        evidence="\n".join([*shown[:_SHOWN], *(["…"] if len(shown) > _SHOWN else []), has]),
        step=f"{_STEPS[lack]}; or, where the program never comes there, set  [tool.cannery]  "
        f"allow-missing = [{', '.join(map(repr, dict.fromkeys(each.module for each in needed)))}]",
    )


def _notes(found: Iterable[Unprovided]) -> Iterable[str]:
    """A note for each source, with the first line that imports each module: a vendored one may be for dozens."""
    firsts: dict[str, Unprovided] = {}
    for each in found:
        firsts.setdefault(each.module, each)
    for path in [*dict.fromkeys(each.path for each in firsts.values())][:_SHOWN]:
        first, *others = (each for each in firsts.values() if each.path == path)
        more = "".join(f", {each.module} (line {each.line})" for each in others[:_SHOWN])
        that = "them" if others else "that"
        more += ", and more" if len(others) > _SHOWN else ""
        what = f"{_at(first)} imports {first.module}{more}, and nothing provides {that}"
        yield f"{what}: the program fails where it comes there"


def _lack(app: App, missing: Unprovided) -> str:
    """Why a module is missing: a key of ``_STEPS``."""
    module = missing.module
    if find_module(app.folder, app.import_roots, module):
        return _EXCLUDED
    if module.partition(".")[0] in sys.stdlib_module_names:
        return _NOT_BUILT
    own = "." in module and find_module(app.folder, app.import_roots, module.partition(".")[0])
    return _NOT_MADE if own else _NOT_REQUIRED


def _at(each: Unprovided) -> str:
    return f"{each.path}:{each.line}" if each.line else each.path

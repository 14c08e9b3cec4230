"""Notes to the user on an app, which a report shows at its end."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.app import ScriptEntry
from cannery.project.modules import imported_as, named_by
from cannery.trees.scripts import command_names, script_name
from cannery.trees.source_readers import caller_readers, module_readers, readers_at_import, source_readers

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.project.requirements import Requirements
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = [
    "notes_on",
    "notes_on_callers",
    "notes_on_code",
    "notes_on_module_readers",
    "notes_on_programs",
    "notes_on_source_readers",
    "notes_on_start_modules",
]

_NO_VERSION = (
    "the project's version is dynamic, so importlib.metadata won't know it in the image: give it with "
    "[tool.cannery] version, or CANNERY_VERSION"
)


def notes_on(app: App, requirements: Requirements | None) -> Iterator[str]:
    """Notes on the app's version and on those of what it requires."""
    yield from app.notes
    if _lacks_version(app):
        yield _NO_VERSION
    if requirements is not None:
        yield from requirements.notes
        if not requirements.locked:
            yield (
                f"{requirements.source.name} pins no versions, so another machine may take others: lock them "
                f"({_how_to_lock(app, requirements)})"
            )


def _how_to_lock(app: App, requirements: Requirements) -> str:
    """The command that pins the versions, with the tool that the project uses."""
    name = requirements.source.name
    match app.requirements.kind if app.requirements else None:
        case "project" if app.requirements and name == "pyproject.toml":
            return "uv lock"
        case "script":
            return f"uv lock --script {name}"
        case "pipenv":
            return "pipenv lock"
        case "requirements" if name.endswith(".in"):
            return f"uv pip compile --generate-hashes {name} -o {name.removesuffix('.in')}.txt"
        case _:
            return "uv pip compile --generate-hashes"


def notes_on_code(own: AppTree, app: App) -> Iterator[str]:
    """Notes on the app's code: on what needs sources, which an image lacks, and on modules that hide others."""
    if own.source_readers and not app.settings.keep_sources:
        yield (
            f"{own.source_readers[0]} reads source code, which the image does not have: name the modules that it reads "
            "in  [tool.cannery]  keep-sources"
        )
    if own.source_listers and not app.settings.keep_sources:
        yield (
            f"{own.source_listers[0]} looks for files called *.py, and the image has *.pyc: name the modules that it "
            "looks for in  [tool.cannery]  keep-sources"
        )
    for name in sorted(_tops(own, app) & sys.stdlib_module_names):
        yield f"the project's own module {name} hides that of the standard library, from every module that imports it"


def notes_on_programs(own: AppTree, app: App) -> Iterator[str]:
    """Notes on other programs that the app's code starts, in an image with its own and no others."""
    present = {*command_names(app), *(name for command in (app.main, *app.commands) if (name := script_name(command)))}
    for name, line in own.programs.items():
        if name not in present:
            yield (
                f"{line} starts {name}, which the image does not have: where that is a script of a dependency, name it "
                f'in  [tool.cannery]  commands = {{ {name} = "{name}" }}, and else build on a base that has it '
                '(recipe = "slim")'
            )


def notes_on_start_modules(modules: Iterable[str]) -> Iterator[str]:
    """Notes on those ``modules`` that Pythons find on ``PYTHONPATH``, in one executable, which heeds none."""
    for name in modules:
        package, _, own = name.rpartition(".")
        if package and own in {"sitecustomize", "usercustomize"}:
            yield (
                f"{package} starts others with its {own} on PYTHONPATH, which one executable does not heed: have the "
                "program do at its start what that does, or take the recipe tiny or scratch"
            )


def notes_on_source_readers(
    app: App, own: AppTree, wheels: LazyTree, site_packages: str, workspace: Workspace
) -> Iterator[str]:
    """Notes on dependencies, all that ``wheels`` has, which read sources in an image that has none.

    Those that read some when they're imported have theirs.
    """
    keeping = readers_at_import(wheels, site_packages, workspace)
    without = (*app.settings.drop_sources, *keeping)
    yield from _notes_on_readers(app, source_readers(wheels, site_packages, workspace, without))
    yield from notes_on_module_readers(app, module_readers(wheels, site_packages, workspace))
    yield from notes_on_callers(own, app, caller_readers(wheels, site_packages, workspace))


def _notes_on_readers(app: App, readers: Mapping[str, str]) -> Iterator[str]:
    """Notes on dependencies that read sources in an image that has none; ``readers`` has the lines where they do."""
    for package, line in readers.items():
        if not named_by(package, app.settings.keep_sources):
            yield (
                f"{line} reads source code, which the image does not have; where the program comes there, set  "
                f"[tool.cannery]  keep-sources = [{package!r}], and where it doesn't, drop-sources"
            )


def notes_on_module_readers(app: App, readers: Mapping[str, str]) -> Iterator[str]:
    """Notes on dependencies that find modules and read their sources, unless settings name modules or that package."""
    for package, line in readers.items() if not app.settings.keep_sources else ():
        if not named_by(package, app.settings.drop_sources):
            yield (
                f"{line} reads the sources of modules that it finds, which the image does not have: where the program "
                "comes there, name those modules in  [tool.cannery]  keep-sources, and where it doesn't, "
                f"drop-sources = [{package!r}]"
            )


def notes_on_callers(own: AppTree, app: App, readers: Mapping[str, str]) -> Iterator[str]:
    """Notes on dependencies that read the source of those who call them; ``readers`` has the lines where they do."""
    tops = sorted(name for name in _tops(own, app) if not named_by(name, app.settings.keep_sources))
    for line in readers.values() if tops else ():
        yield (
            f"{line} reads the line that calls it, and the image has no sources: where the app does, set  "
            f"[tool.cannery]  keep-sources = {tops}"
        )


def _tops(own: AppTree, app: App) -> set[str]:
    """The names of the app's own modules and packages at the top level."""
    sources = [path for path in own.code.tree.entries if path.endswith(".py")]
    return {imported_as(path, app.image_roots).partition(".")[0] for path in sources}


def _lacks_version(app: App) -> bool:
    """True for a package whose version only its build backend knows; a script is not installed, and has none."""
    return app.metadata.version is None and "version" in app.metadata.dynamic and not isinstance(app.entry, ScriptEntry)

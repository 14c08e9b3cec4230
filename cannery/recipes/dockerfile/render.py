"""From an app to the text of its Dockerfile, by the same settings as for cannery's own images."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

import msgspec
from msgspec.structs import replace

from cannery.errors import ConfigurationError, did_you_mean
from cannery.image.platform import machine_platform
from cannery.project.app import HOME, ApplicationEntry, NamedEntry
from cannery.project.interpreter import interpreter_for
from cannery.recipes.common import pinned_dependencies, settled_app
from cannery.recipes.container_config import container_config, program_config
from cannery.recipes.dockerfile.base import NamedBase, named_base
from cannery.recipes.dockerfile.context import dockerignore
from cannery.recipes.dockerfile.executable import executable_stage
from cannery.recipes.dockerfile.install import installed
from cannery.recipes.dockerfile.instructions import execution
from cannery.recipes.dockerfile.job import DockerfileJob, copied_resources, copies, tops, written_files
from cannery.recipes.dockerfile.own_stage import inputs_of_stage, made_by_cannery, notes_on_stage
from cannery.recipes.dockerfile.stages import (
    app_stage,
    dependencies_stage,
    on_base,
    runtime_stage,
    system_stage,
    tools_base,
)
from cannery.recipes.dockerfile.templates import MARK, filled
from cannery.recipes.dockerfile.wheel import wheel_of_cannery
from cannery.trees.app import AppTree, app_tree
from cannery.trees.base.python import BasePython, target_of
from cannery.trees.shaken import reach_of

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.imports.model import Reach
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["BY_CANNERY", "Rendered", "render"]


@dataclass(frozen=True, slots=True)
class _Stages:
    """The part of a Dockerfile behind its head."""

    stages: str
    inputs: tuple[str, ...]  # files and folders of the project that the stages take beside the app's own
    notes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Rendered:
    """A Dockerfile and its .dockerignore."""

    dockerfile: str
    dockerignore: str
    notes: tuple[str, ...] = ()  # on settings that a Dockerfile can't follow


def render(app: App, workspace: Workspace, *, flags: str = "", digest: str = "", present: str = "") -> Rendered:
    """The Dockerfile of ``app`` by the recipe of its settings.

    Its head says how to make it anew: by the command with ``flags``. ``digest`` is that of the base's tag, if known,
    ``present`` the text of the Dockerfile that is there, whose pins stay. Raises :class:`ConfigurationError` for a
    recipe or a base that no Dockerfile can have.
    """
    recipe = app.settings.recipe
    if recipe not in _RECIPES:
        raise ConfigurationError(
            f"the recipe {recipe!r} has no Dockerfile",
            evidence=did_you_mean(recipe, _RECIPES),
            step=f"those that have one are: {', '.join(_RECIPES)}",
        )
    if recipe not in BY_CANNERY and (app.settings.health or app.settings.init):
        raise ConfigurationError(
            "a Dockerfile has no health check and no init of ours: cannery puts these programs in itself",
            evidence="[tool.cannery]  health, init",
            step="leave them out here: the engine has both (docker run --init, --health-cmd), or take the recipe tiny",
        )
    base = named_base(app)
    _check_wheels(app, base, workspace)
    shebang = "/usr/bin/env python3" if recipe in _ON_BASE else "/usr/local/bin/python3"
    app = _settled(app, workspace)
    own = app_tree(app, workspace, shebang, ".py" if recipe == "slim" else ".pyc")
    head = filled(
        "head", mark=MARK, name=app.name, what=_RECIPES[recipe], flags=flags, tag=f"{app.name}:{app.settings.tag}",
        base=f"{base.name}@{digest}" if digest else base.name,
    )  # fmt: skip
    if recipe in BY_CANNERY:
        made = _by_cannery(DockerfileJob(app, own, base, None, None), workspace, present)
    else:
        made = _in_stages(DockerfileJob(app, own, base, installed(app), _reached(app, own, workspace)))
    paths = [*made.inputs, *tops(own.code.tree.files(), app), *own.resource_names]
    return Rendered(head + made.stages, dockerignore(paths, app.settings.exclude), made.notes)


def _by_cannery(job: DockerfileJob, workspace: Workspace, present: str) -> _Stages:
    wheel = wheel_of_cannery(job.app, workspace, present)
    inputs = (*inputs_of_stage(job.app), *([wheel.path] if wheel.path else []))
    tools = tools_base(job) if "${TOOLS}" in (stage := made_by_cannery(job, wheel, workspace)) else ""
    return _Stages(tools + stage, inputs, tuple(notes_on_stage(job.app)))


def _in_stages(job: DockerfileJob) -> _Stages:
    inputs = job.dependencies.files if job.dependencies else ()
    return _Stages(_BODIES[job.app.settings.recipe](job), inputs, tuple(_notes(job.app)))


def _settled(app: App, workspace: Workspace) -> App:
    """The app with what its dependencies decide about its start, as this machine's wheels have it."""
    entries = (app.main.entry, *(command.entry for command in app.commands))
    if not app.settings.trace and not any(isinstance(entry, NamedEntry | ApplicationEntry) for entry in entries):
        return app
    python = interpreter_for(app, workspace)
    here = replace(app, settings=msgspec.structs.replace(app.settings, recipe="scratch"))  # no base is at hand
    found = settled_app(here, pinned_dependencies(here, python.target, workspace), python.target, workspace)
    return replace(found, settings=app.settings)


def _reached(app: App, own: AppTree, workspace: Workspace) -> Reach | None:
    """The modules that the app imports, with this machine's Python and wheels, where the recipe asks for them."""
    if app.settings.recipe != "onefile":
        return None
    python = interpreter_for(app, workspace)
    wheels = pinned_dependencies(app, python.target, workspace).wheels
    return reach_of(app, python, own, wheels, workspace)


def _check_wheels(app: App, base: NamedBase, workspace: Workspace) -> None:
    """Raise :class:`RequirementsError` where the base is Alpine and a dependency has no wheel for its C library, musl.

    On other bases pip says so in the build: they have glibc, which nearly every wheel is for.
    """
    if "alpine" not in base.name or app.requirements is None:
        return
    version = tuple(map(int, base.version.split(".")))
    library = f"/usr/local/lib/{base.python}"
    python = BasePython(base.path, library, version, f"{library}/site-packages", "musl", (1, 2))
    target = target_of(python, machine_platform(), base.name)
    _ = pinned_dependencies(app, target, workspace).wheels.tree


def _slim(job: DockerfileJob) -> str:
    """Sources on a base, as most Dockerfiles have them."""
    files = "".join(written_files(job.files, ""))
    return dependencies_stage(job) + on_base(job, files + copies(job.files, job.app, f"{HOME}/"), ".py")


def _cython(job: DockerfileJob) -> str:
    return (
        tools_base(job)
        + dependencies_stage(job)
        + app_stage(job, compiled=True)
        + on_base(job, "COPY --from=app /image/ /\n", ".pyc")
    )


def _scratch(job: DockerfileJob) -> str:
    compiled = job.app.settings.compile
    stages = [dependencies_stage(job), runtime_stage(job), system_stage(job), app_stage(job, compiled=compiled)]
    final = filled(
        "from_scratch",
        dependencies="COPY --from=dependencies /dependencies/ /\n" if job.dependencies else "",
        resources=copied_resources(job.own, f"{HOME}/"),
        execution=execution(container_config(job.app, f"/usr/local/bin/{job.base.python}")),
    )
    return (tools_base(job) if compiled else "") + "".join(stages) + final


def _onefile(job: DockerfileJob) -> str:
    app = job.app
    name = app.name.rpartition("/")[2]
    resources = copied_resources(job.own, f"{HOME}/")
    config = execution(program_config(app, f"/usr/local/bin/{name}", resources=bool(resources)))
    return (
        tools_base(job)
        + dependencies_stage(job)
        + executable_stage(job, name)
        + system_stage(job)
        + filled("program", resources=resources, execution=config)
    )


_ON_BASE: Final = ("slim", "cython")
BY_CANNERY: Final = ("tiny", "static")  # recipes that cannery itself runs for in the build
_RECIPES: Mapping[str, str] = {  # and what is in the image
    "slim": "its sources on a base image",
    "cython": "compiled, on a base image",
    "onefile": "one static executable, and not one file more than that needs",
    "scratch": "the interpreter, the dependencies and the app, and not one file more",
    "tiny": "the interpreter, and of everything else what the app imports",
    "static": "one static executable that holds Python, the dependencies and the app",
}
_BODIES: Mapping[str, Callable[[DockerfileJob], str]] = {
    "slim": _slim,
    "cython": _cython,
    "onefile": _onefile,
    "scratch": _scratch,
}


def _notes(app: App) -> Iterator[str]:
    settings = app.settings
    if settings.strip:
        yield "strip has no counterpart in a Dockerfile: base images have no program for it"
    if settings.ca_certificates:
        yield "ca-certificates has no counterpart in a Dockerfile: the image has those of the base"
    if settings.keep_sources and settings.recipe == "scratch":
        yield "keep-sources has no counterpart in a Dockerfile: only bytecode goes in"
    if settings.allow_missing and settings.recipe == "scratch":
        yield "allow-missing has no counterpart in a Dockerfile: a missing library ends the build"

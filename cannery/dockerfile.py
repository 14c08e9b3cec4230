"""A recipe as a Dockerfile: the same stages, in the words of the platform that insists on them.

What is installed, copied and started follows from the same settings as cannery's own images.
"""

from __future__ import annotations

import difflib
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.app import Function, Script
from cannery.dockerfiles.base import NamedBase, named_base
from cannery.dockerfiles.context import dockerignore
from cannery.dockerfiles.instructions import copy, execution, quoted_lines, written
from cannery.dockerfiles.sources import Installed, installed
from cannery.dockerfiles.templates import filled
from cannery.errors import ConfigurationError
from cannery.execution import config_of_its_own, container_config
from cannery.interpreter import machine_platform
from cannery.model import File, Inline, OnDisk
from cannery.resolution import resolve
from cannery.trees.app import AppTree, app_tree
from cannery.trees.base_python import BasePython, target_of
from cannery.trees.collected import HOME
from cannery.trees.cython import starter
from cannery.trees.dependencies import dependencies
from cannery.trees.extensions import DIRECTIVES
from cannery.trees.installed import entry_command, entry_files
from cannery.trees.stdlib import unwanted_by

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator, Mapping

    from cannery.app import App
    from cannery.workspace import Workspace

__all__ = ["Rendered", "render"]

_CYTHON: Final = ("cython==3.3.1", "setuptools==84.2.1")


@dataclass(frozen=True, slots=True)
class Rendered:
    """A Dockerfile, and what it lets a build see."""

    dockerfile: str
    dockerignore: str
    notes: tuple[str, ...] = ()  # settings that it can't follow


@dataclass(frozen=True)
class _Job:
    """What a Dockerfile is made from."""

    app: App
    own: AppTree
    base: NamedBase
    dependencies: Installed | None


def render(app: App, workspace: Workspace, *, flags: str = "", digest: str = "") -> Rendered:
    """The Dockerfile of ``app`` by the recipe of its settings.

    ``flags`` are those of the command line that makes it anew; ``digest`` is what the base's tag is known to mean.
    Raises :class:`ConfigurationError` for a recipe or a base that no Dockerfile can have.
    """
    recipe = app.settings.recipe
    if recipe not in _RECIPES:
        near = difflib.get_close_matches(recipe, _RECIPES, n=1)
        raise ConfigurationError(
            f"the recipe {recipe!r} has no Dockerfile",
            evidence=f"did you mean {near[0]!r}?" if near else "",
            step=f"those that have one are: {', '.join(_RECIPES)}",
        )
    base = named_base(app)
    _check_wheels(app, base, workspace)
    shebang = "/usr/bin/env python3" if recipe in _ON_BASE else "/usr/local/bin/python3"
    own = app_tree(app, workspace, shebang)
    job = _Job(app, own, base, installed(app))
    what, body = _RECIPES[recipe]
    head = filled(
        "head", name=app.name, what=what, flags=flags, tag=f"{app.name}:{app.settings.tag}",
        base=f"{base.name}@{digest}" if digest else base.name,
    )  # fmt: skip
    inputs = job.dependencies.files if job.dependencies else ()
    paths = [*inputs, *_tops(own.code.tree.files(), app), *_resources(app)]
    return Rendered(head + body(job), dockerignore(paths, app.settings.exclude), tuple(_notes(app)))


def _check_wheels(app: App, base: NamedBase, workspace: Workspace) -> None:
    """Raise :class:`RequirementsError` for a dependency that has no wheel for Alpine's C library, while it's time.

    What only a build in the base can tell is left to pip: other bases have glibc, which nearly every wheel is for.
    """
    if "alpine" not in base.name or app.requirements is None:
        return
    version = tuple(map(int, base.version.split(".")))
    python = BasePython(base.path, version, f"/usr/local/lib/{base.python}/site-packages", "musl", (1, 2))
    target = target_of(python, machine_platform(), base.name)
    _ = dependencies(resolve(app.requirements, app.settings, target, workspace), target, workspace).tree


def _slim(job: _Job) -> str:
    """Sources on a base, as most Dockerfiles have them."""
    files = "".join(_written(job.own.code.tree.files(), ""))
    return _dependencies(job) + _on_base(job, files + _copies(job.own.code.tree.files(), job.app, f"{HOME}/"), ".py")


def _cython(job: _Job) -> str:
    return (
        _tools(job)
        + _dependencies(job)
        + _app_stage(job, compiled=True)
        + _on_base(job, "COPY --from=app /image/ /\n", ".pyc")
    )


def _scratch(job: _Job) -> str:
    compiled = job.app.settings.compile
    stages = [_dependencies(job), _runtime(job), _app_stage(job, compiled=compiled)]
    final = filled(
        "from_scratch",
        dependencies="COPY --from=dependencies /dependencies/ /\n" if job.dependencies else "",
        resources=_copied_resources(job.app, f"{HOME}/"),
        execution=execution(container_config(job.app, f"/usr/local/bin/{job.base.python}")),
    )
    return (_tools(job) if compiled else "") + "".join(stages) + final


_ON_BASE: Final = ("slim", "cython")
_RECIPES: Mapping[str, tuple[str, Callable[[_Job], str]]] = {
    "slim": ("its sources on a base image", _slim),
    "cython": ("compiled, on a base image", _cython),
    "scratch": ("the interpreter, the dependencies and the app, and not one file more", _scratch),
}


def _dependencies(job: _Job) -> str:
    """The stage that installs the dependencies; where the image has no base, as bytecode."""
    if job.dependencies is None:
        return ""
    parts = job.dependencies
    stage = filled(
        "dependencies",
        files=" ".join(map(shlex.quote, parts.files)),
        pins=filled("exported", tools=parts.tools, command=parts.export) if parts.export else "",
        options="".join(f"{option} " for option in parts.options),
        requirements=shlex.quote(parts.requirements),
    )
    bytecode = _bytecode(job.app, "/dependencies", "/dependencies") if job.app.settings.recipe == "scratch" else ""
    return stage + bytecode


def _runtime(job: _Job) -> str:
    app, uid = job.app, job.app.settings.uid
    native = [path for path, _ in job.own.native.files()]
    zones = app.settings.timezones is True or (app.settings.timezones == "auto" and "zoneinfo" in job.own.imports)
    sources = "COPY --from=dependencies /dependencies/ /dependencies/\n" if job.dependencies else ""
    sources += "".join(copy([_relative(path)], "/native/") for path in native)
    return filled(
        "runtime",
        python=job.base.python,
        unwanted=" ".join(_unwanted(job)),
        bytecode=_bytecode(app, "/image", "."),
        sources=sources,
        searched=" ".join([*(["/dependencies"] if job.dependencies else []), *(["/native"] if native else [])]),
        named="".join(_named_library(name) for name in app.settings.libraries),
        zones=" usr/share && cp -a /usr/share/zoneinfo usr/share/" if zones else "",
        passwd=shlex.quote(_account(uid)),
        group=shlex.quote(f"app:x:{uid}:"),
    )  # fmt: skip


def _named_library(name: str) -> str:
    """Words of the runtime's instruction that look up a library, which the program opens by its name."""
    return f" && ldconfig -p >/tmp/known && awk '$1 == \"{name}\" {{print $NF; exit}}' /tmp/known >>/tmp/libraries \\\n"


def _app_stage(job: _Job, *, compiled: bool) -> str:
    """The stage that takes away the app's sources."""
    app, files = job.app, list(job.own.code.tree.files())
    return filled(
        "app",
        builder="TOOLS" if compiled else "BASE",
        compiler=filled("compiler", cython=_CYTHON[0], setuptools=_CYTHON[1]) if compiled else "",
        copies=_copies(files, app, "./"),
        generated="".join(_written(files, "/image")),
        compiled=_compiled(app, [path for path, _ in files]) if compiled else "",
        bytecode=_bytecode(app, "/image", "."),
    )


def _compiled(app: App, paths: Iterable[str]) -> str:
    """The instruction that compiles the app; what is run as a script becomes a module that a few lines start."""
    directives = " ".join(
        f"--directive {name}={value}" for name, value in {**DIRECTIVES, **app.settings.cython.directives}.items()
    )
    run = entry_files(app)
    scripts = [_relative(path) for path in paths if path in run or path.endswith("/__main__.py")]
    kept = [name.replace(".", "/") for name in (*app.settings.cython.exclude, *app.settings.keep_sources)]
    bytecode = "".join(f" ! -path './{name}.py' ! -path './{name}/*'" for name in kept)
    apart = "".join(f" ! -path './{script}'" for script in scripts)
    return filled(
        "compiled",
        directives=directives,
        excluded=bytecode + apart,
        kept=bytecode + apart,
        scripts="".join(_compiled_script(script, directives) for script in scripts),
    )


def _compiled_script(script: str, directives: str) -> str:
    stem = script.removesuffix(".py")
    name = stem.rpartition("/")[2]
    lines = quoted_lines(starter(f"{name}.script.so"))
    return filled("compiled_script", directives=directives, script=script, stem=stem, c=f"{stem}.c", starter=lines)


def _on_base(job: _Job, app: str, suffix: str) -> str:
    uid = job.app.settings.uid
    entry = entry_command(job.app, job.base.path, suffix)
    return filled(
        "on_base",
        passwd=shlex.quote(_account(uid)),
        group=shlex.quote(f"app:x:{uid}:"),
        dependencies="COPY --from=dependencies /dependencies/ /\n" if job.dependencies else "",
        app=app + _copied_resources(job.app, f"{HOME}/"),
        execution=execution(config_of_its_own(job.app, entry)),
    )


def _bytecode(app: App, strip: str, folder: str) -> str:
    optimize = f" -o {app.settings.optimize}" if app.settings.optimize else ""
    return filled("bytecode", optimize=optimize, strip=strip, folder=folder)


def _tools(job: _Job) -> str:
    return filled("tools_base", tools=job.base.with_compiler)


def _copies(files: Iterable[tuple[str, File]], app: App, below: str) -> str:
    return "".join(copy([top], f"{below}{top}") for top in _tops(files, app))


def _copied_resources(app: App, below: str) -> str:
    return "".join(copy([name], f"{below}{name}") for name in _resources(app))


def _resources(app: App) -> tuple[str, ...]:
    """Files and folders that the configuration names; a folder ends in a slash."""
    return tuple(
        f"{name.rstrip('/')}/" if (app.folder / name).is_dir() else name for name in map(str, app.settings.resources)
    )


def _tops(files: Iterable[tuple[str, File]], app: App) -> Iterator[str]:
    """What lies at the top of the folders that imports start from: ``main.py``, ``src/package/``."""
    roots = sorted((str(HOME / root) for root in app.import_roots), key=len, reverse=True)
    tops: dict[str, None] = {}
    for path, file in files:
        if isinstance(file.content, OnDisk) and path.startswith(f"{HOME}/"):
            root = next(root for root in roots if path.startswith(f"{root}/"))
            first, slash, _ = path.removeprefix(f"{root}/").partition("/")
            tops[_relative(f"{root}/{first}{slash}")] = None
    yield from tops


def _written(files: Iterable[tuple[str, File]], below: str) -> Iterator[str]:
    """The files that an installation would make, and no project has."""
    for path, file in files:
        if isinstance(file.content, Inline):
            yield written(below + path, file.content.data.decode(), executable=bool(file.mode & 0o100))


def _relative(path: str) -> str:
    return path.removeprefix(f"{HOME}/")


def _account(uid: int) -> str:
    return f"app:x:{uid}:{uid}:app:/tmp:/sbin/nologin"


def _unwanted(job: _Job) -> list[str]:
    """What the app has no use for, as paths below the standard library."""
    names = unwanted_by(job.own.imports | frozenset(job.app.settings.stdlib))
    modules = [f"lib-dynload/{name}.*" if name.startswith("_") else f"{name}*" for name in names]
    return [*modules, "lib-dynload/_test*", "lib-dynload/_xx*", "lib-dynload/xx*", "LICENSE.txt"]


def _notes(app: App) -> Iterator[str]:
    settings = app.settings
    if settings.strip:
        yield "strip has no counterpart in a Dockerfile: base images have no program for it"
    if settings.ca_certificates:
        yield "ca-certificates has no counterpart in a Dockerfile: the image has those of the base"
    if settings.keep_sources and settings.recipe == "scratch":
        yield "keep-sources has no counterpart in a Dockerfile: only bytecode goes in"
    if isinstance(app.entry, Function | Script) and settings.allow_missing:
        yield "allow-missing has no counterpart in a Dockerfile: a missing library ends the build"

"""The stages of Dockerfiles, and the image on a base."""

from __future__ import annotations

import shlex
from itertools import groupby
from typing import TYPE_CHECKING

from cannery.project.app import HOME
from cannery.python.stdlib import unwanted_by
from cannery.recipes.container_config import config_of_its_own
from cannery.recipes.dockerfile import pins
from cannery.recipes.dockerfile.instructions import copy, execution, quoted_lines
from cannery.recipes.dockerfile.job import DockerfileJob, copied_resources, copies, relative, written_files
from cannery.recipes.dockerfile.templates import filled
from cannery.trees.cython.extensions import DIRECTIVES
from cannery.trees.cython.transform import starter
from cannery.trees.installed import entry_command, entry_files

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.project.app import App

__all__ = ["app_stage", "dependencies_stage", "on_base", "runtime_stage", "system_stage", "tools_base"]


def dependencies_stage(job: DockerfileJob) -> str:
    """The stage that installs the dependencies; for images with no base, it makes bytecode of them, too."""
    if job.dependencies is None:
        return ""
    parts = job.dependencies
    stage = filled(
        "dependencies",
        files="".join(
            copy([*names], f"./{folder}") for folder, names in groupby(sorted(parts.files, key=_folder), _folder)
        ),
        pins=filled("exported", tools=parts.tools, command=parts.export) if parts.export else "",
        options="".join(f"{option} " for option in parts.options),
        requirements=shlex.quote(parts.requirements),
    )
    bytecode = _bytecode(job.app, "/dependencies", "/dependencies") if job.app.settings.recipe == "scratch" else ""
    return stage + bytecode


def runtime_stage(job: DockerfileJob) -> str:
    """The stage that gathers the interpreter, its standard library and the shared libraries."""
    app = job.app
    native = [path for path, _ in job.own.native.files()]
    sources = "COPY --from=dependencies /dependencies/ /dependencies/\n" if job.dependencies else ""
    sources += "".join(copy([relative(path)], "/native/") for path in native)
    return filled(
        "runtime",
        python=job.base.python,
        unwanted=" ".join(_unwanted(job)),
        bytecode=_bytecode(app, "/image", "."),
        sources=sources,
        searched=" ".join([*(["/dependencies"] if job.dependencies else []), *(["/native"] if native else [])]),
        named="".join(_named_library(name) for name in app.settings.libraries),
    )


def _folder(path: str) -> str:
    """The folder of a file, as ``COPY`` names it: ``requirements/``, or nothing."""
    return "".join(path.rpartition("/")[:2])


def _named_library(name: str) -> str:
    """The part of the runtime's instruction that looks up a shared library by its name."""
    return f" && ldconfig -p >/tmp/known && awk '$1 == \"{name}\" {{print $NF; exit}}' /tmp/known >>/tmp/libraries \\\n"


def system_stage(job: DockerfileJob) -> str:
    """The instructions that add the small files of a system to the stage before."""
    app, uid = job.app, job.app.settings.uid
    zones = app.settings.timezones is True or (app.settings.timezones == "auto" and "zoneinfo" in job.own.imports)
    return filled(
        "system",
        zones=" usr/share && cp -a /usr/share/zoneinfo usr/share/" if zones else "",
        passwd=shlex.quote(_account(uid)),
        group=shlex.quote(f"app:x:{uid}:"),
    )


def app_stage(job: DockerfileJob, *, compiled: bool) -> str:
    """The stage that makes bytecode of the app's sources, or with ``compiled`` extension modules."""
    app, files = job.app, job.files
    return filled(
        "app",
        builder="TOOLS" if compiled else "BASE",
        compiler=filled("compiler", cython=pins.CYTHON, setuptools=pins.SETUPTOOLS) if compiled else "",
        copies=copies(files, app, "./"),
        generated="".join(written_files(files, "/image")),
        compiled=_compiled(app, [path for path, _ in files]) if compiled else "",
        bytecode=_bytecode(app, "/image", "."),
    )


def _compiled(app: App, paths: Iterable[str]) -> str:
    """The instruction that compiles the app; a script becomes a module, and a few lines that start it."""
    directives = " ".join(
        f"--directive {name}={value}" for name, value in {**DIRECTIVES, **app.settings.cython.directives}.items()
    )
    run = entry_files(app)
    scripts = [relative(path) for path in paths if path in run or path.endswith("/__main__.py")]
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


def on_base(job: DockerfileJob, app: str, suffix: str) -> str:
    """The image on the base; ``app`` are the instructions that bring the app, its modules ending in ``suffix``."""
    uid = job.app.settings.uid
    entry = entry_command(job.app, job.base.path, suffix)
    return filled(
        "on_base",
        passwd=shlex.quote(_account(uid)),
        group=shlex.quote(f"app:x:{uid}:"),
        dependencies="COPY --from=dependencies /dependencies/ /\n" if job.dependencies else "",
        app=app + copied_resources(job.own, f"{HOME}/"),
        execution=execution(config_of_its_own(job.app, entry)),
    )


def _bytecode(app: App, strip: str, folder: str) -> str:
    optimize = f" -o {app.settings.optimize}" if app.settings.optimize else ""
    return filled("bytecode", optimize=optimize, strip=strip, folder=folder)


def tools_base(job: DockerfileJob) -> str:
    """The argument that names the base with a compiler."""
    return filled("tools_base", tools=job.base.with_compiler)


def _account(uid: int) -> str:
    return f"app:x:{uid}:{uid}:app:/tmp:/sbin/nologin"


def _unwanted(job: DockerfileJob) -> list[str]:
    """Patterns of the files of the standard library that stay out."""
    names = unwanted_by(job.own.imports | frozenset(job.app.settings.stdlib))
    modules = [f"lib-dynload/{name}.*" if name.startswith("_") else f"{name}*" for name in names]
    return [*modules, "lib-dynload/_test*", "lib-dynload/_xx*", "lib-dynload/xx*", "LICENSE.txt"]

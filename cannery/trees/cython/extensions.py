"""Extension modules, made by Cython and a C compiler once, and kept under a key of all that decides about the bytes."""

from __future__ import annotations

import json
import os
import re
import sys
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery.errors import CanneryError, ConfigurationError, MachineError, ProjectError, ToolError, did_you_mean
from cannery.image.content import OnDisk
from cannery.image.tree import File
from cannery.trees.cython.toolchain import find_toolchain
from cannery.workspace.digest import Digest
from cannery.workspace.extras import installing
from cannery.workspace.files import advice, changed, explained
from cannery.workspace.kept import keep, kept_file
from cannery.workspace.keys import code_key, key_of, package_file
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cannery.project.settings import CythonSettings
    from cannery.python.abi import Abi
    from cannery.trees.cython.toolchain import SharedObjectCompiler
    from cannery.workspace.kept import KeptFile
    from cannery.workspace.workspace import Workspace

__all__ = ["DIRECTIVES", "Compiler", "ModuleSource", "compile_all", "compiler_for"]

_WORKER = package_file("trees/workers/run_cython.py")
# annotation_typing: annotations are notes to Python, and Cython would turn them into checks (cython.readthedocs.io,
# Compiler directives). autotestdict: Cython would collect docstrings once more for doctest, and fails on some.
DIRECTIVES = {"annotation_typing": False, "autotestdict": False, "language_level": 3}


@dataclass(frozen=True, slots=True)
class ModuleSource:
    """A module to be compiled."""

    path: str  # in the image
    file: File
    name: str  # by which an import finds it
    place: str  # the path below its import root, which tracebacks show
    script: bool  # is run, not imported, and so is the module __main__

    @property
    def module(self) -> str:
        """The name that it has for Cython, and in its PyInit function."""
        return "__main__" if self.script else self.name

    @property
    def shown(self) -> str:
        """The path that messages name: the user's own file, where it is one."""
        return str(self.file.content.path) if isinstance(self.file.content, OnDisk) else self.place


@dataclass(frozen=True, slots=True)
class Compiler:
    """Cython and a C compiler, with their options."""

    toolchain: SharedObjectCompiler
    abi: Abi
    directives: Mapping[str, bool | int | str]  # Cython's
    target: str | None  # zig's; None for this machine
    cython: str  # its version

    @property
    def key(self) -> str:
        """A name for all but the sources that decides about the bytes of extension modules."""
        return key_of(
            "extension",
            code_key(__name__),
            self.toolchain.key,
            self.abi.key,
            self.abi.suffix,
            dict(self.directives),
            self.cython,
        )


def compiler_for(abi: Abi, settings: CythonSettings, workspace: Workspace) -> Compiler:
    """The compiler for ``abi``, or for the target that ``settings`` names.

    Raises :class:`ToolError` where Cython or a C compiler is missing.
    """
    import importlib.metadata  # noqa: PLC0415  # slow to import, and needed only to compile

    try:
        version = importlib.metadata.version("Cython")
    except importlib.metadata.PackageNotFoundError as error:
        raise ToolError("Cython is not installed", step=installing("cython")) from error
    return Compiler(
        toolchain=find_toolchain(workspace, settings.target),
        abi=abi.for_target(settings.target) if settings.target else abi,
        directives={**DIRECTIVES, **settings.directives},
        target=settings.target,
        cython=version,
    )


def compile_all(sources: Iterable[ModuleSource], compiler: Compiler, workspace: Workspace) -> dict[str, File]:
    """The extension modules by the paths of their sources: from the cache, or made now on all cores.

    Raises :class:`ProjectError` for a module that Cython refuses, :class:`ToolError` where the C compiler fails,
    :class:`ConfigurationError` for a directive that Cython doesn't have.
    """
    home = workspace.cache.root / "extensions"
    made: dict[str, KeptFile] = {}
    missing: list[tuple[ModuleSource, Path]] = []
    code = code_key(__name__)
    for source in sources:
        key = key_of(code, compiler.key, Digest.of_content(source.file.content), source.module, source.place)
        if (known := kept_file(link := home / key[:2] / key)) is not None:
            made[source.path] = known
        else:
            missing.append((source, link))
    if missing:
        made |= _compile(missing, compiler, workspace)
    return {path: File(OnDisk(*kept), 0o755) for path, kept in made.items()}


def _compile(missing: list[tuple[ModuleSource, Path]], compiler: Compiler, workspace: Workspace) -> dict[str, KeptFile]:
    """The modules that Cython and the C compiler make now, by the paths of their sources, kept under the links."""
    count = "1 module" if len(missing) == 1 else f"{len(missing)} modules"
    workspace.progress(f"compiling {count} with Cython")
    with workspace.cache.scratch() as scratch, explained(scratch):
        sources = [source for source, _ in missing]
        folders = [scratch / str(number) for number in range(len(sources))]
        for source, folder in zip(sources, folders, strict=True):
            _lay_out(source, folder)
        request = {
            "folder": str(scratch),
            "directives": dict(compiler.directives),
            "compiler": [*compiler.toolchain.command, *_headers(compiler, scratch)],
            "at_once": len(os.sched_getaffinity(0)),
            "jobs": [
                {"folder": str(folder), "source": source.place, "module": source.module}
                for source, folder in zip(sources, folders, strict=True)
            ],
        }
        made: dict[str, KeptFile] = {}
        try:
            outcomes = _ask_worker(request, compiler, workspace)
        finally:  # even where another can't be compiled, or somebody interrupts
            for (source, link), folder in zip(missing, folders, strict=True):
                if (module := folder / "module.so").is_file():
                    made[source.path] = keep(module, link, Digest.of_content(OnDisk(module, 0)))
        _refuse_failures(list(zip(sources, outcomes, folders, strict=True)))
        return made


def _lay_out(source: ModuleSource, folder: Path) -> None:
    """Put a copy of the source where Cython looks for it, and nothing else there."""
    with source.file.content.open() as stream:
        text = stream.read()
    content = source.file.content
    if isinstance(content, OnDisk) and content.digest not in {None, Digest.of(text)}:
        raise changed(source.shown)
    place = folder / source.place
    place.parent.mkdir(parents=True)
    place.write_bytes(text)


def _headers(compiler: Compiler, scratch: Path) -> list[str]:
    """The flags for the folders of headers.

    Debian's pyconfig.h includes another by a path that zig, with a target, can't find: a link stands in for it.
    """
    abi = compiler.abi
    if compiler.target is None or abi.configuration == abi.include:
        return [f"-I{abi.include}"]
    platform = scratch / "headers" / compiler.target.partition(".")[0]
    platform.mkdir(parents=True)
    (platform / abi.include.name).symlink_to(abi.configuration)
    return [f"-I{abi.include}", f"-I{platform.parent}"]


def _ask_worker(request: dict[str, Any], compiler: Compiler, workspace: Workspace) -> list[str]:
    env = {**compiler.toolchain.env, "PYTHONHASHSEED": "0", "PYTHONUTF8": "1"}
    command = [sys.executable, "-P", "-W", "ignore", str(_WORKER)]
    try:
        done = workspace.run(command, env=env, stdin=json.dumps(request))
    except ProgramFailed as error:
        raise _machine(error.stderr) or error from error
    answer: dict[str, Any] = json.loads(done.stdout)
    for name, what in answer.get("directives", {}).items():
        raise _wrong_directive(name, what, answer["known"])
    return list(answer["outcomes"])


def _refuse_failures(results: list[tuple[ModuleSource, str, Path]]) -> None:
    """Raise the error of the compilations that failed; everything that Cython refuses is named in one."""
    refused: list[str] = []
    for source, outcome, folder in results:
        said = (folder / "said").read_text(encoding="utf-8", errors="replace") if outcome != "done" else ""
        if outcome == "refused":
            refused += _complaints(source, said)
        elif outcome != "done":
            raise _machine(said) or ToolError(
                f"{source.shown} can't be compiled", evidence="\n".join(said.strip().splitlines()[-20:]),
                step=f"leave it as bytecode:  [tool.cannery.cython]  exclude = [{source.name!r}]",
            )  # fmt: skip
    if refused:
        names = [source.name for source, outcome, _ in results if outcome == "refused"]
        raise ProjectError(
            f"Cython refuses {names[0] if len(names) == 1 else f'{len(names)} modules'}",
            evidence="\n".join(refused),
            step=f"write it otherwise, or leave it as bytecode:  [tool.cannery.cython]  exclude = {json.dumps(names)}",
        )


def _complaints(source: ModuleSource, said: str) -> list[str]:
    """Cython's messages (``pkg/x.py:3:8: what``) with the user's file and the line, without the excerpts of source."""
    found = re.findall(rf"^{re.escape(source.place)}:(\d+):\d+: (.+)$", said, re.MULTILINE)
    return [f"{source.shown}:{line}: {what}" for line, what in dict.fromkeys(found)] or [
        f"{source.shown}: {said.strip()}"
    ]


def _machine(said: str) -> CanneryError | None:
    step = advice(said)
    return MachineError("cannot compile the modules", evidence=said.strip(), step=step) if step else None


def _wrong_directive(name: str, what: str, known: list[str]) -> ConfigurationError:
    return ConfigurationError(
        f"[tool.cannery.cython] directives: {name} is {what}" if what == "unknown" else f"[tool.cannery.cython] {what}",
        evidence=did_you_mean(name, known) if what == "unknown" else "",
        step="directives are listed at https://cython.readthedocs.io/en/latest/src/userguide/source_files_and_compilation.html",
    )

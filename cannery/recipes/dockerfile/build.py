"""A recipe's Dockerfile, built by buildx, else by the engine's own BuildKit, or by Podman."""

from __future__ import annotations

import os
import re
import shutil
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.errors import ConfigurationError, ToolError
from cannery.recipes.dockerfile.file import DockerfileTarget, render_files
from cannery.workspace.process import ProgramFailed, run_shown

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace

__all__ = ["BuildOptions", "DockerBuild", "build_with_docker"]

_BUILDX_ONLY: Final = 23  # from this version on, the docker command builds with BuildKit by buildx alone


@dataclass(frozen=True, slots=True)
class BuildOptions:
    """Options that are passed on to ``docker build``."""

    builder: str | None = None  # of buildx, a team's build farm, for one; or a context of docker: another engine
    cache_from: str | None = None
    cache_to: str | None = None


@dataclass(frozen=True, slots=True)
class DockerBuild:
    """An image that was built from a Dockerfile, in the engine."""

    app: App
    references: tuple[str, ...]
    id: str
    size: int  # bytes, as the engine counts them
    client: str  # what built it: "docker buildx"
    notes: tuple[str, ...]
    context: str | None = None  # of docker, whose engine has the image; None: the usual one


@dataclass(frozen=True, slots=True)
class _BuildClient:
    """A program that builds from Dockerfiles."""

    name: str
    command: tuple[str, ...]  # up to the word that says what to do with an image
    build: tuple[str, ...]
    env: dict[str, str]
    buildx: bool = False

    def in_context(self, name: str) -> _BuildClient:
        """The same for the engine of a context, which buildx takes by no builder's name."""
        command = (*self.command, f"--context={name}")
        return replace(self, command=command, build=(*command, *self.build[len(self.command) :]))


def build_with_docker(app: App, workspace: Workspace, options: BuildOptions, *, quiet: bool = False) -> DockerBuild:
    """Build the image of ``app`` from its Dockerfile, in the engine of the settings.

    The builder's output is shown on standard error, unless ``quiet``. Raises :class:`ToolError` where no client can
    build it, or the build fails.
    """
    client = _client(app, workspace)
    context = options.builder if client.buildx and _is_context(options.builder, client, workspace) else None
    if context is not None:
        client, options = client.in_context(context), replace(options, builder=None)
    references = app.references
    rendered = render_files(app, workspace, DockerfileTarget.of(app, None))
    with workspace.cache.scratch() as scratch:
        (scratch / "Dockerfile").write_text(rendered.dockerfile, encoding="utf-8")
        ignore = scratch / "Dockerfile.dockerignore"
        ignore.write_text(rendered.dockerignore, encoding="utf-8")
        command = [*client.build, f"--file={scratch / 'Dockerfile'}", f"--iidfile={scratch / 'id'}"]
        command += [f"--tag={reference}" for reference in references]
        command += _passed_on(app, options, client)
        index = _package_index()
        command += [f"--build-arg={name}" for name in index]
        command += [f"--ignorefile={ignore}"] if client.name == "podman" else []
        run = workspace.run if quiet else run_shown
        try:
            run([*command, str(app.folder)], env={**client.env, **index})
        except ProgramFailed as error:
            raise ToolError(
                f"{client.name} can't build the image", evidence=error.evidence,
                step="see what it said; to build with no engine, leave --builder out",
            ) from error  # fmt: skip
        image = (scratch / "id").read_text(encoding="utf-8").strip()
    inspected = workspace.run([*client.command, "image", "inspect", "--format={{.Size}}", image], env=client.env)
    return DockerBuild(app, references, image, int(inspected.stdout), client.name, rendered.notes, context)


def _passed_on(app: App, options: BuildOptions, client: _BuildClient) -> list[str]:
    named = {"--builder": options.builder, "--cache-to": options.cache_to}
    flags = {"--docker-builder": options.builder, "--cache-to": options.cache_to}
    if not client.buildx and (given := [flag for flag, value in flags.items() if value]):
        raise ToolError(
            f"{given[0]} needs buildx, and {client.name} has none",
            step="install it (Docker's package docker-buildx-plugin), or leave the option out",
        )
    named |= {"--cache-from": options.cache_from, "--platform": ",".join(app.settings.platforms) or None}
    return [*(f"{name}={value}" for name, value in named.items() if value), *app.settings.build_options]


def _package_index() -> dict[str, str]:
    """PIP_INDEX_URL as the environment has it, if it names an index; command lines are given the name alone."""
    url = os.environ.get("UV_DEFAULT_INDEX") or os.environ.get("PIP_INDEX_URL")
    return {"PIP_INDEX_URL": url} if url else {}


def _client(app: App, workspace: Workspace) -> _BuildClient:
    """The client that builds for the engine of the settings; raises :class:`ToolError` where there is none."""
    if app.settings.engine == "none":
        raise ConfigurationError("--builder docker needs an engine", step="leave out --engine none")
    if app.settings.engine == "podman":
        return _podman()
    found = _programs("docker")
    for program in found:
        if _succeeds([program, "buildx", "version"], workspace):
            return _BuildClient("docker buildx", (program,), (program, "buildx", "build", "--load"), {}, buildx=True)
    for program in found:
        if _version(program, workspace) < _BUILDX_ONLY:
            return _BuildClient("docker", (program,), (program, "build"), {"DOCKER_BUILDKIT": "1"})
    if found:
        raise ToolError(
            "the docker command has no BuildKit",
            evidence=f"{', '.join(found)}: version {_BUILDX_ONLY} and later need buildx for that",
            step="install it: Docker's package docker-buildx-plugin, or Debian's docker.io, whose client brings it",
        )
    raise ToolError(
        "there is no docker command", evidence=f"looked in {os.environ.get('PATH', '')}",
        step="install Docker, or build with no engine: leave --builder out",
    )  # fmt: skip


def _is_context(name: str | None, client: _BuildClient, workspace: Workspace) -> bool:
    return name is not None and _succeeds([*client.command, "context", "inspect", name], workspace)


def _podman() -> _BuildClient:
    program = shutil.which("podman")
    if program is None:
        raise ToolError(
            "there is no podman command", step="install Podman, or build with no engine: leave --builder out"
        )
    remote = (program, "--remote") if os.environ.get("CONTAINER_HOST") else (program,)
    return _BuildClient("podman", remote, (*remote, "build", "--format=docker"), {})


def _programs(name: str) -> list[str]:
    """Every program of that name on the path: one may lack what another has."""
    places = (Path(folder, name) for folder in os.get_exec_path())
    return [str(path) for path in places if os.access(path, os.X_OK) and path.is_file()]


def _succeeds(command: list[str], workspace: Workspace) -> bool:
    try:
        workspace.run(command)
    except ProgramFailed:
        return False
    return True


def _version(program: str, workspace: Workspace) -> int:
    """The major version of a docker command."""
    found = re.search(r"version (\d+)", workspace.run([program, "--version"]).stdout)
    return int(found[1]) if found else _BUILDX_ONLY

"""``invoke image``: from the project to an image."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Final

from cannery.project.flags import BUILD_FLAGS, FLAGS
from cannery.tasks.flags import JSON, CommandLine, are_for_another, command, flags_of, typed, words_behind
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from cannery.project.app import App
    from cannery.recipes.image import MadeImage
    from cannery.tasks.report.check import CheckReport
    from cannery.workspace.workspace import Workspace

__all__ = ["EXPLAIN", "LOCKED", "image", "require_lock_of"]

LOCKED: Final = "Refuse to build without cannery.lock."
EXPLAIN: Final = "List files that could not be made smaller or compiled, with the reasons."


@command(
    *(name for name in FLAGS if name != "repository"),
    help={
        "all": "Build the images of all members of the workspace that start something.",
        "since": "With --all: only members that changed since this commit, or require one that did.",
        "refresh": "Resolve requirements that no lock pins again, and look up the base's tag again.",
        "docker_builder": "With --builder docker: the name of a builder of buildx, such as a build farm.",
        "cache_to": "With --builder docker: where to keep layers, as docker buildx build takes it.",
        "check": "Then run the command check on it; what to ask follows --.",
        "explain": EXPLAIN,
        "locked": LOCKED,
        "unpack": "Unpack the image, too, as a root file system: into this folder, which must be new.",
        "json": JSON,
    },
)
def image(
    line: CommandLine,
    all: bool = False,
    since: str | None = None,
    refresh: bool = False,
    docker_builder: str | None = None,
    cache_to: str | None = None,
    check: bool = False,
    explain: bool = False,
    locked: bool = False,
    unpack: str | None = None,
    json: bool = False,
) -> None:
    """Build the project's container image.

    It's written to dist/, and loaded into Docker or Podman if one is running.

    You need no Docker, no Dockerfile and no base image. The archive is an OCI layout and a docker archive at once:
    'docker load', 'podman load' and 'skopeo copy oci-archive:' take it. Settings come from [tool.cannery] in
    pyproject.toml; flags, and variables such as CANNERY_TAG, override them.
    """
    from cannery.recipes.components import components_in_image  # noqa: PLC0415
    from cannery.recipes.image import check_unpacking, make_image, unpack_image  # noqa: PLC0415
    from cannery.tasks.report.image import ImageReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415
    from cannery.workspace.files import user_path  # noqa: PLC0415

    began = time.perf_counter()
    if all:
        _build_all(line, since, refresh=refresh, json=json, one=check or locked or explain or unpack is not None)
        return
    app = app_of(line)
    if locked:
        require_lock_of(app)
    words = _words(line, check=check)
    if app.settings.builder == "docker":
        own = [flag for flag, given in (("--check", check), ("--unpack", unpack is not None)) if given]
        _build_with_docker(app, (docker_builder, app.settings.cache_from, cache_to), own, json=json)
        return
    if unpack is not None:
        check_unpacking(app, user_path(unpack))
    with shown_workspace(quiet=json, refresh=refresh) as workspace:
        made = make_image(app, workspace)
        if unpack is not None:
            unpack_image(made, user_path(unpack))
        took = time.perf_counter() - began
        components = tuple(components_in_image(built.image, workspace) for built in made.each)
        found = _checked(made, words, workspace) if check else None
    run = typed("run", {**{name: line.settings[name] for name in BUILD_FLAGS}, "project": line.project})
    print_report(ImageReport(made, took, components, run, explain, found), json=json)
    if found is not None:
        found.close()


def _build_all(line: CommandLine, since: str | None, *, refresh: bool, json: bool, one: bool) -> None:
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.recipes.members import make_images, members_of  # noqa: PLC0415
    from cannery.tasks.report.members import MembersReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    began = time.perf_counter()
    if one or line.settings["output"] or line.settings["builder"] == "docker":
        raise ConfigurationError(
            "--all builds by cannery itself, into the dist/ of each member, and explains and checks nothing",
            step="leave other flags out, or build one member:  --project services/api",
            evidence="--output, --builder, --check, --locked, --unpack and --explain are for one image",
        )
    members = members_of(folder_of(line), flags_of(line))
    with shown_workspace(quiet=json, refresh=refresh) as workspace:
        members = members.since(since, workspace)
        made = make_images(members, workspace)
    print_report(MembersReport(made, members, time.perf_counter() - began), json=json)


def _words(line: CommandLine, *, check: bool) -> list[str]:
    """The words behind ``--``, which say what to ask; raises :class:`ConfigurationError` where nobody asks."""
    from cannery.errors import ConfigurationError  # noqa: PLC0415

    words = words_behind(line)
    if words and not check and not are_for_another("image"):
        raise ConfigurationError(
            f"a build has no use for what stands behind --: {' '.join(words)}",
            step="add --check to ask the image that, or put it into  [tool.cannery]  args",
        )
    return words if check else []


def require_lock_of(app: App) -> None:
    """Raise :class:`ConfigurationError` where the project has no lock."""
    from cannery.recipes.lock import require_lock  # noqa: PLC0415

    require_lock(app)


def _checked(made: MadeImage, words: list[str], workspace: Workspace) -> CheckReport:
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.tasks.check import asked_of, checked  # noqa: PLC0415
    from cannery.tasks.report.check import CheckReport  # noqa: PLC0415

    built = made.here
    if built is None:
        raise ConfigurationError(
            "--check runs the image, and none of its platforms is this machine's",
            evidence=", ".join(str(each.image.platform) for each in made.each),
            step="leave --check out, or check it where it runs",
        )
    return CheckReport(checked(built, workspace, asked_of(words, built.app)))


def _build_with_docker(
    app: App, options: tuple[str | None, str | None, str | None], own: Sequence[str], *, json: bool
) -> None:
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.recipes.dockerfile.build import BuildOptions, build_with_docker  # noqa: PLC0415
    from cannery.tasks.report.docker_build import DockerBuildReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    for flag in own:
        raise ConfigurationError(
            f"{flag} is for images that cannery builds itself", step=f"leave out {flag}, or --builder docker"
        )
    began = time.perf_counter()
    with shown_workspace(quiet=True) as workspace:  # the builder itself shows what it does
        built = build_with_docker(app, workspace, BuildOptions(*options), quiet=json)
    print_report(DockerBuildReport(built, time.perf_counter() - began), json=json)

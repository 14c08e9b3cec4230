"""``invoke push``: from the project to an image in a registry."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from cannery.project.flags import BUILD_FLAGS
from cannery.tasks.flags import JSON, CommandLine, command, flags_of, words_behind
from cannery.tasks.project import app_of, folder_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["push", "write_references"]


@command(
    *BUILD_FLAGS,
    "repository",
    "cache_from",
    "attest",
    "sign",
    "signer",
    "vex",
    help={
        "all": "Push all members of the workspace that start something; each blob is sent once.",
        "since": "With --all: only members that changed since this commit, or require one that did.",
        "registry": "Registry for projects without a repository in their settings: ghcr.io/team; their name is added.",
        "dry_run": "Say what would be sent, and send nothing.",
        "update_index": "Add the image to the tags' index; images for other platforms stay in it.",
        "image_refs": "A file to write the references by digest to, one per line, for deployment.",
        "refresh": "Resolve requirements that no lock pins again, and look up the base's tag again.",
        "json": JSON,
    },
)
def push(
    line: CommandLine,
    all: bool = False,
    since: str | None = None,
    registry: str | None = None,
    dry_run: bool = False,
    update_index: bool = False,
    image_refs: str | None = None,
    refresh: bool = False,
    json: bool = False,
) -> None:
    """Push the image to a registry.

    'push -- REFERENCE' builds first if something has changed. Without a REFERENCE such as ghcr.io/team/app:1.0, the
    settings repository, tag and tags say where to push. What the registry already has isn't sent again. Tags are
    set last, so none ever points to half an image. --attest and --sign attach documents to the image and don't
    change it. cannery uses the logins of 'docker login' and 'podman login'. The last line printed is the reference
    by digest.
    """
    from cannery.recipes.push import push_image, targets, with_registry  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.push import PushReport  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    began = time.perf_counter()
    if all:
        how = {"dry": dry_run, "update_index": update_index}
        _push_all(line, since, registry, image_refs, how, refresh=refresh, json=json)
        return
    app = with_registry(app_of(line), registry)
    where = targets(app, words_behind(line))
    with shown_workspace(quiet=json, refresh=refresh) as workspace:
        pushed = push_image(app, where, workspace, dry=dry_run, update_index=update_index)
    if image_refs and not dry_run:
        write_references(image_refs, (str(each.reference) for each in pushed.pushed))
    print_report(PushReport(pushed, time.perf_counter() - began), json=json)


def _push_all(
    line: CommandLine,
    since: str | None,
    registry: str | None,
    image_refs: str | None,
    how: Mapping[str, bool],
    *,
    refresh: bool,
    json: bool,
) -> None:
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.recipes.members import members_of, push_images  # noqa: PLC0415
    from cannery.tasks.report.members import PushedMembersReport  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.tasks.report.report import print_report  # noqa: PLC0415

    began = time.perf_counter()
    if words_behind(line) or line.settings["repository"]:
        raise ConfigurationError(
            "--all pushes each member to a repository of its own, and one is named for all",
            step="say which registry:  push --all --registry ghcr.io/TEAM  (or a setting repository for each member)",
        )
    members = members_of(folder_of(line), flags_of(line))
    with shown_workspace(quiet=json, refresh=refresh) as workspace:
        members = members.since(since, workspace)
        pushed = push_images(members, workspace, registry=registry, **how)
    if image_refs and not how["dry"]:
        write_references(image_refs, (str(each.reference) for one in pushed.values() for each in one.pushed))
    print_report(PushedMembersReport(pushed, members, time.perf_counter() - began), json=json)


def write_references(path: str, references: Iterable[str]) -> None:
    """Write ``references`` to the file at ``path``, one a line."""
    from cannery.workspace.files import replacing, user_path  # noqa: PLC0415

    with replacing(user_path(path).absolute()) as stream:
        stream.write("".join(f"{each}\n" for each in references).encode())

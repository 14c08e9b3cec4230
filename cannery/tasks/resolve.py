"""``invoke resolve``: manifests whose images are named by their projects, with the references of what was pushed."""

from __future__ import annotations

from pathlib import Path

from cannery.tasks.flags import CommandLine, command, flags_of

__all__ = ["resolve"]


@command(
    *("recipe", "platform", "tag", "cache_from"),
    help={
        "f": "A manifest, a folder of manifests, or - for standard input; may be given several times.",
        "recursive": "Look for manifests in the folders below those, too.",
        "registry": "Registry for projects without a repository in their settings: ghcr.io/team; their name is added.",
        "dry_run": "Build, and print the digests that a push would give; send nothing.",
        "image_refs": "A file to write the references to, one per line.",
        "project": "Folder that the paths in manifests start from (default: the current one).",
    },
    iterable=("f",),
)
def resolve(
    line: CommandLine,
    f: list[str] | None = None,
    recursive: bool = False,
    registry: str | None = None,
    dry_run: bool = False,
    image_refs: str | None = None,
) -> None:
    """Push the projects that manifests name; print digests.

    'resolve -f k8s/ | kubectl apply -f -' builds and pushes each project that a manifest names as cannery://FOLDER,
    and prints the manifests with the image's digest in that place. Everything else stays as it is, including
    comments.
    """
    from cannery.errors import ConfigurationError  # noqa: PLC0415
    from cannery.project.manifests import joined, manifests_at  # noqa: PLC0415
    from cannery.recipes.resolve import resolve_manifests  # noqa: PLC0415
    from cannery.tasks.push import write_references  # noqa: PLC0415
    from cannery.tasks.report.progress import shown_workspace  # noqa: PLC0415
    from cannery.workspace.streams import show  # noqa: PLC0415

    if not f:
        raise ConfigurationError("no manifest is named", step="name a file or a folder:  resolve -f k8s/")
    manifests = manifests_at(f, recursive=recursive)
    folder = Path(line.project or ".").absolute()
    with shown_workspace() as workspace:
        resolved = resolve_manifests(manifests, folder, flags_of(line), workspace, registry=registry, dry=dry_run)
    for each in resolved.pushed.values():
        for note in each.notes:
            show(f"note     {each.app.name}: {note}")
    if image_refs and not dry_run:
        write_references(image_refs, dict.fromkeys(resolved.references.values()))
    print(joined(resolved.texts), end="")

"""From manifests that name projects to manifests that name images: each project is pushed, and named by its digest."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.registry.reference import DOCKER_HUB, Reference
from cannery.project.config import load
from cannery.recipes.push import push_image, targets, with_registry

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from cannery.project.app import App
    from cannery.project.manifests import Manifest, NamedProject
    from cannery.recipes.push import PushedImage
    from cannery.workspace.workspace import Workspace

__all__ = ["Resolved", "resolve_manifests"]


@dataclass(frozen=True, slots=True)
class Resolved:
    """Manifests that name images."""

    texts: tuple[str, ...]  # in the order of the manifests
    pushed: Mapping[str, PushedImage]  # by the folders as the manifests name them

    @property
    def references(self) -> dict[str, str]:
        """The images by their digests, by the folders of their projects."""
        return {name: str(each.pushed[0].reference) for name, each in self.pushed.items()}


def resolve_manifests(
    manifests: Sequence[Manifest],
    folder: Path,
    flags: Mapping[str, object],
    workspace: Workspace,
    *,
    registry: str | None = None,
    dry: bool = False,
) -> Resolved:
    """Push the projects that ``manifests`` name by paths from ``folder``, each once, and put their references in.

    ``flags`` are settings for all of them; those that name no repository go to ``registry``, by their names. ``dry``,
    nothing is sent, and the references are those that a push would give. Raises before the first build where a
    project can't be read, or nothing says where to push it.
    """
    named: dict[str, NamedProject] = {}
    for manifest in manifests:
        for each in manifest.projects():
            named.setdefault(each.path, each)
    apps = {path: _app(each, folder, flags, registry) for path, each in named.items()}
    where = {path: targets(app) for path, app in apps.items()}
    pushed: dict[Path, PushedImage] = {}
    for path, app in apps.items():
        if app.folder not in pushed:
            pushed[app.folder] = push_image(app, where[path], workspace, dry=dry)
    found = {path: pushed[app.folder] for path, app in apps.items()}
    references = Resolved((), found).references
    return Resolved(tuple(manifest.resolved(references) for manifest in manifests), found)


def _app(named: NamedProject, folder: Path, flags: Mapping[str, object], registry: str | None) -> App:
    path = folder / named.path
    if not path.is_dir():
        raise ConfigurationError(
            f"there is no project {named.path or 'without a name'}",
            evidence=f"{named.place} names it, and {path} is no folder",
            step="write the folder of a project, from where the command is run:  cannery://services/api",
        )
    app = load(path, flags)
    if app.settings.repository or Reference.parse(app.name).registry != DOCKER_HUB:
        return app
    if registry is None:
        raise ConfigurationError(
            f"nothing says where to push {named.path}",
            evidence=f"{named.place} names it, and its settings name no repository",
            step="say for all such:  --registry ghcr.io/TEAM",
        )
    return with_registry(app, registry)

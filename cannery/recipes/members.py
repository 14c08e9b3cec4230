"""The members of a workspace, those that start something, built and pushed in one go."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

from msgspec import structs

from cannery.errors import CanneryError, ConfigurationError
from cannery.project.changes import changed_members
from cannery.project.config import load
from cannery.project.entrypoints import NoEntryPointError
from cannery.project.uv_sources import workspace_members, workspace_root
from cannery.recipes.image import make_image

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

    from cannery.project.app import App
    from cannery.recipes.image import MadeImage
    from cannery.recipes.push import PushedImage
    from cannery.workspace.digest import Digest
    from cannery.workspace.workspace import Workspace

__all__ = ["Members", "make_images", "members_of", "push_images"]

_AT_ONCE: Final = 8  # repositories that are asked


@dataclass(frozen=True, slots=True)
class Members:
    """The projects of a workspace."""

    top: Path  # the workspace
    apps: Mapping[str, App]  # by their folders, relative to the workspace
    skipped: tuple[str, ...]  # those that start nothing
    unchanged: tuple[str, ...] = ()  # since the commit that was asked for

    def since(self, revision: str | None, workspace: Workspace) -> Members:
        """Those that changed since ``revision``; all where it's None. Raises as :func:`changed_members` does."""
        if revision is None:
            return self
        changed = changed_members(workspace_members(self.top), self.top, revision, workspace.run)
        apps = {name: app for name, app in self.apps.items() if self.top / name in changed}
        return replace(self, apps=apps, unchanged=tuple(name for name in self.apps if name not in apps))


def members_of(folder: Path, flags: Mapping[str, object]) -> Members:
    """The members of the workspace that ``folder`` is the root or a member of; ``flags`` are settings for all.

    Raises :class:`ConfigurationError` where it's no workspace, none of them starts anything, or two have one name.
    """
    folder = folder.resolve()
    folders = workspace_members(folder)
    if not folders:
        raise ConfigurationError(
            f"{folder} is no workspace, and no member of one",
            evidence="no pyproject.toml there, or above, has  [tool.uv.workspace]  members",
            step='leave --all out, or name the members:  [tool.uv.workspace]  members = ["services/*"]',
        )
    apps: dict[str, App] = {}
    skipped: list[str] = []
    top = workspace_root(folder) or folder
    for each in folders:
        name = each.relative_to(top).as_posix()
        try:
            with _of(name):
                apps[name] = load(each, flags)
        except NoEntryPointError:
            skipped.append(name)
    for name, app in apps.items():
        if alike := [other for other in apps if other != name and apps[other].name == app.name]:
            raise ConfigurationError(
                f"two members have the image {app.name}: {name} and {alike[0]}",
                step='call one otherwise:  [tool.cannery]  name = "…"',
            )
    if not apps:
        raise ConfigurationError(
            "no member of the workspace starts anything",
            evidence=", ".join(skipped),
            step='give one an entry point:  [project.scripts], or  [tool.cannery]  entry = "main.py"',
        )
    return Members(top, apps, tuple(skipped))


def make_images(members: Members, workspace: Workspace) -> dict[str, MadeImage]:
    """The images of all members, each built and written as :func:`make_image` does."""
    made = {}
    workspace = structs.replace(workspace, looked_at={})
    for name, app in members.apps.items():
        with _of(name):
            made[name] = make_image(app, workspace)
    return made


def push_images(
    members: Members,
    workspace: Workspace,
    *,
    registry: str | None = None,
    dry: bool = False,
    update_index: bool = False,
) -> dict[str, PushedImage]:
    """The images of all members, pushed; those whose settings name no repository go to ``registry``, by their names.

    All are built before the first is pushed. A blob that several have is sent once, where the repositories are of one
    registry that lets one take it from another.
    """
    from cannery.image.registry.credentials import asking_once  # noqa: PLC0415  # slow to import
    from cannery.recipes.push import built_for, pushed_before, send_image, targets, with_registry  # noqa: PLC0415  # as above

    where, built, asked = {}, {}, {}
    workspace = structs.replace(workspace, looked_at={}, run=asking_once(workspace.run))
    for name, app in members.apps.items():
        with _of(name):
            where[name] = targets(with_registry(app, registry))
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # which asks for the images of some while others are built
        for name, app in members.apps.items():
            with _of(name):
                built[name] = built_for(app, where[name], workspace)
            if not dry and not update_index:
                asked[name] = pool.submit(pushed_before, app, built[name], where[name], workspace)
    before = {name: future.result() for name, future in asked.items()}
    places: dict[Digest, str] = {}

    def sent(name: str) -> PushedImage:
        with _of(name):
            return send_image(
                members.apps[name],
                built[name],
                where[name],
                workspace,
                dry=dry,
                update_index=update_index,
                places=places,
                before=before.get(name),
            )

    unchanged = [name for name in members.apps if before.get(name)]
    with ThreadPoolExecutor(_AT_ONCE) as pool:  # those that change nothing only wait for answers
        found = dict(zip(unchanged, pool.map(sent, unchanged), strict=True))
    return {name: found.get(name) or sent(name) for name in members.apps}


@contextmanager
def _of(member: str) -> Iterator[None]:
    """Let errors say which member they are about."""
    try:
        yield
    except CanneryError as error:
        error.what = f"{member}: {error.what}"
        raise

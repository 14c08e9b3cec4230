"""Secrets on their way into an image: they go in only where the settings name them."""

from __future__ import annotations

import fnmatch
from typing import TYPE_CHECKING

import msgspec

from cannery.errors import ProjectError
from cannery.secrets.file_names import kind_by_name

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.project.app import App

__all__ = ["FoundSecret", "allows", "refuse_secrets", "secrets_of_metadata", "unallowed"]

_SHOWN = 10


class FoundSecret(msgspec.Struct, frozen=True):
    """A secret in a file of the project, as settings and messages name it; it is never shown itself."""

    rule: str  # the kind's name: github-token
    told: str  # what it is, and where in the file
    line: int = 0  # counted from 1; 0 where there are no lines


def secrets_of_metadata(app: App) -> dict[str, tuple[FoundSecret, ...]]:
    """The secrets in the metadata that an image has, by the file that they come from."""
    addresses = [each for each in app.metadata.dependencies if "://" in each]
    if not addresses:
        return {}
    from cannery.secrets.addresses import has_password  # noqa: PLC0415  # slow to import, and most have no address

    if not any(has_password(each.encode()) for each in addresses):
        return {}
    told = "a package index's password, among the dependencies"
    return {"pyproject.toml": (FoundSecret("index-password", told),)}


def refuse_secrets(app: App, found: Mapping[str, Iterable[FoundSecret]]) -> None:
    """Raise :class:`ProjectError` for files that look like secrets by name or content, unless the settings allow them.

    ``found`` maps the path of each file, relative to the project, to the secrets in its content.
    """
    secrets = list(unallowed(app.settings.allow_secrets, found))
    if not secrets:
        return
    shown = [f"{path}{f':{each.line}' if each.line else ''}: {each.told} [{each.rule}]" for path, each in secrets]
    if len(shown) > _SHOWN:
        shown = [*shown[:_SHOWN], f"and {len(shown) - _SHOWN} more"]
    raise ProjectError(
        "secrets were about to go into the image",
        evidence="\n".join(shown),
        step="move them out of the app's packages and resources; for those that are meant to be there set "
        f"[tool.cannery]  allow-secrets = {list(_entries(secrets))}",
    )


def _entries(secrets: Iterable[tuple[str, FoundSecret]]) -> Iterator[str]:
    """The entries of ``allow-secrets`` that allow ``secrets``: a file, or a kind in a file that has several."""
    kinds: dict[str, dict[str, None]] = {}
    for path, each in secrets:
        kinds.setdefault(path, {})[each.rule] = None
    for path, rules in kinds.items():
        yield from (path,) if len(rules) == 1 else (f"{path}:{rule}" for rule in rules)


def unallowed(allow: Iterable[str], found: Mapping[str, Iterable[FoundSecret]]) -> Iterator[tuple[str, FoundSecret]]:
    """The secrets by the names and the contents of files that ``allow`` doesn't name, sorted by their paths.

    An entry of ``allow`` is a path, in which ``*`` stands for anything, or a path, a colon and a kind.
    """
    entries = tuple(allow)
    for path, inside in sorted(found.items()):
        secrets = tuple(inside)
        if not secrets and (kind := kind_by_name(path)):
            secrets = (FoundSecret(kind.id, kind.title),)
        yield from ((path, each) for each in secrets if not any(allows(entry, path, each.rule) for entry in entries))


def allows(entry: str, path: str, kind: str) -> bool:
    """True where ``entry`` of ``allow-secrets`` lets a secret of that kind be in the file ``path``."""
    return any(name == path or fnmatch.fnmatchcase(path, name) for name in (entry, entry.removesuffix(f":{kind}")))

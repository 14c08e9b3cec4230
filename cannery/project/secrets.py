"""Files that look like secrets, which go into an image only where the settings name them."""

from __future__ import annotations

import fnmatch
import re
from typing import TYPE_CHECKING

from cannery.errors import ProjectError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.project.app import App

__all__ = ["holds_password", "refuse_secrets", "secret_by_name", "secret_in", "secrets_of_metadata"]

# A file's name, or that of a folder above it -> the kind of secret in it
_BY_NAME = {
    ".env": "settings with passwords",
    ".env.*": "settings with passwords",
    ".git": "the project's history",
    ".hg": "the project's history",
    ".svn": "the project's history",
    ".netrc": "passwords",
    ".pgpass": "passwords",
    ".htpasswd": "passwords",
    ".pypirc": "a package index's password",
    "secrets.toml": "passwords",
    ".npmrc": "a package index's password",
    ".git-credentials": "passwords",
    ".ssh": "keys",
    ".gnupg": "keys",
    ".aws": "keys",
    ".kube": "keys",
    ".docker": "a registry's password",
    "id_rsa": "a private key",
    "id_dsa": "a private key",
    "id_ecdsa": "a private key",
    "id_ed25519": "a private key",
    "*.p12": "a private key",
    "*.pfx": "a private key",
    "*.kdbx": "passwords",
}
_HARMLESS = {".env.example", ".env.sample", ".env.template", ".env.dist"}
_SUSPICIOUS = re.compile("|".join(map(fnmatch.translate, _BY_NAME)))  # all of them at once, as most names match none

_PASSWORD_IN_URL = re.compile(rb"https?://(?:[^/\s:@]*:)?(?!\$)[^/\s:@]+@")  # but ${VARIABLE}
# The first line and the beginning of the second (RFC 7468): libraries that read keys contain the first line alone.
# In JSON a line ends in the two letters \n.
_PRIVATE_KEY = re.compile(rb"-----BEGIN (?:[A-Z0-9]+ )*PRIVATE KEY(?: BLOCK)?-----(?:\s|\\[rn])+[A-Za-z0-9+/]{4}")
# Files that tell installers of package indexes
_NAMES_INDEXES = re.compile(r"pip\.(conf|ini)|(uv|poetry|pyproject)\.toml|Pipfile|.*requirements.*\.(txt|in)")


def holds_password(data: bytes) -> bool:
    """True if ``data`` has a URL with a password in it."""
    return _PASSWORD_IN_URL.search(data) is not None


def secret_in(name: str, head: bytes) -> str:
    """The kind of secret in a file called ``name`` whose content begins with ``head``; empty for none."""
    if _PRIVATE_KEY.search(head) and not name.endswith((".py", ".pyx", ".md", ".rst")):
        return "a private key"
    if _NAMES_INDEXES.fullmatch(name) and holds_password(head):
        return "a package index's password"
    return ""


def secrets_of_metadata(app: App) -> dict[str, str]:
    """The secrets in the metadata that an image has, by the file that they come from."""
    found = any(holds_password(requirement.encode()) for requirement in app.metadata.dependencies)
    return {"pyproject.toml": "a package index's password, among the dependencies"} if found else {}


def refuse_secrets(app: App, found: Mapping[str, str]) -> None:
    """Raise :class:`ProjectError` for files that look like secrets by name or content, unless the settings allow them.

    ``found`` maps the path of each file, relative to the project, to the kind of secret in its content; empty for none.
    """
    secrets = {
        path: kind
        for path, by_content in found.items()
        if path not in app.settings.allow_secrets and (kind := by_content or secret_by_name(path))
    }
    if not secrets:
        return
    shown = [f"{path}: {kind}" for path, kind in sorted(secrets.items())]
    if len(shown) > 10:  # noqa: PLR2004
        shown = [*shown[:10], f"and {len(shown) - 10} more"]
    first = min(secrets)
    raise ProjectError(
        "secrets were about to go into the image",
        evidence="\n".join(shown),
        step="move them out of the app's packages and resources; for one that is meant to be there set "
        f"[tool.cannery]  allow-secrets = [{first!r}]",
    )


def secret_by_name(path: str) -> str:
    """The kind of secret that the name of ``path``, or of a folder above it, stands for; empty for none."""
    for part in path.split("/"):
        if part not in _HARMLESS and _SUSPICIOUS.match(part):
            return next(kind for pattern, kind in _BY_NAME.items() if fnmatch.fnmatchcase(part, pattern))
    return ""

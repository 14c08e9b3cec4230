"""From a list of vulnerabilities and an inventory to what can be said of each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.bom.openvex import OPENVEX, openvex
from cannery.bom.vulnerabilities import read_vulnerabilities
from cannery.errors import ConfigurationError
from cannery.image.artifact import Artifact, attachment_of
from cannery.image.image import descriptor
from cannery.image.media.registry import Registry
from cannery.image.media_types import MANIFEST
from cannery.workspace.digest import Digest
from cannery.workspace.documents import json_value
from cannery.workspace.files import explained, user_path
from cannery.workspace.process import ProgramFailed, find_uv

if TYPE_CHECKING:
    from collections.abc import Iterable
    from pathlib import Path

    from cannery.bom.reach import Assessment
    from cannery.bom.vulnerabilities import Vulnerability
    from cannery.workspace.workspace import Workspace

__all__ = ["attach_vex", "listed_vulnerabilities"]

_LOCK: Final = "uv.lock"
_PREVIEW: Final = "audit-command,json-output"


def listed_vulnerabilities(listed: str | None, folder: Path, workspace: Workspace) -> tuple[Vulnerability, ...]:
    """The vulnerabilities in the file ``listed``, or those that uv finds for the lock of the project in ``folder``.

    Raises :class:`ConfigurationError` for what is no list, and where there is neither a list nor a lock.
    """
    if listed is not None:
        path = user_path(listed)
        with explained(path, "read"):
            return read_vulnerabilities(path.read_bytes(), listed)
    if not (folder / _LOCK).is_file():
        raise ConfigurationError(
            f"{folder} has no {_LOCK}, which uv would look for vulnerabilities in",
            step="name a list of them:  --list FILE, with OSV's records in JSON",
        )
    workspace.progress("asking uv for known vulnerabilities")
    return read_vulnerabilities(_audited(folder, workspace).encode(), "what uv audit said")


def _audited(folder: Path, workspace: Workspace) -> str:
    """What ``uv audit`` says in JSON; it ends with 1 where it finds something."""
    command = [find_uv(), "audit", "--frozen", "--preview-features", _PREVIEW, "--output-format", "json"]
    try:
        return workspace.run(command, cwd=folder).stdout
    except ProgramFailed as error:
        if error.returncode == 1 and error.stdout.lstrip().startswith("{"):
            return error.stdout
        raise ConfigurationError(
            "uv audit tells no vulnerabilities",
            evidence="\n".join(error.stderr.strip().splitlines()[-3:]),
            step="name a list of them:  --list FILE, with OSV's records in JSON; or install a later uv",
        ) from error


def attach_vex(name: str, assessments: Iterable[Assessment], workspace: Workspace) -> Digest:
    """Attach the statements of ``assessments`` to the image that ``name`` leads to in its registry; returns its digest.

    Raises :class:`RegistryError` where it isn't there, or the registry refuses.
    """
    with Registry(name, workspace.run) as registry:
        root = registry.root()
        digest, reference = Digest.of(root), registry.reference
        document = openvex(
            assessments, reference.repository, str(digest), f"{reference.registry}/{reference.repository}"
        )
        media_type = str(json_value(root).get("mediaType") or MANIFEST)
        subject = descriptor(media_type, digest, len(root))
        workspace.progress(f"attaching to {name}")
        registry.attach(digest, [attachment_of(Artifact(OPENVEX, document, "vex.openvex.json"), subject)])
        return digest

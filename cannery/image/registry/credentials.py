"""Credentials for registries, from the files that Docker and Podman keep them in.

Docker's ``config.json`` and containers-auth.json(5): in each, ``credHelpers`` come before ``credsStore``, and that
before ``auths``.
"""

from __future__ import annotations

import base64
import os
import time
from collections import defaultdict
from dataclasses import dataclass, field
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, Final, Literal

from cannery.errors import ConfigurationError, ToolError
from cannery.image.registry.reference import DOCKER_HUB
from cannery.workspace.documents import json_value
from cannery.workspace.process import ProgramFailed, run

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.image.registry.reference import Reference
    from cannery.workspace.process import Completed, Runner

__all__ = ["Credential", "asking_once", "credential_files", "credential_for"]

_HUB_KEY: Final = "https://index.docker.io/v1/"  # what Docker calls its own registry in these files
_NO_NAME: Final = "<token>"  # the user name with which helpers mark an identity token
_HELPER: Final = "docker-credential-"  # what names of helpers begin with
_HOLDS: Final = 60.0  # seconds that an answer is good for: what helpers hand out may end
_UNKNOWN: Final = "credentials not found"  # what helpers say where they have none


@dataclass(frozen=True, slots=True)
class Credential:
    """A secret, with its kind."""

    secret: str = field(repr=False)
    source: str  # the file or the program that has it
    username: str = ""
    kind: Literal["password", "identity token", "registry token"] = "password"


def credential_files(environ: Mapping[str, str] = os.environ) -> tuple[Path, ...]:
    """The files to look in, in their order: the one that is named, Docker's, Podman's."""
    home = Path(environ.get("HOME") or "/")
    named = environ.get("REGISTRY_AUTH_FILE")
    docker = Path(environ.get("DOCKER_CONFIG") or home / ".docker") / "config.json"
    runtime = environ.get("XDG_RUNTIME_DIR")
    podman = [Path(runtime, "containers/auth.json")] if runtime else []
    podman.append(Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "containers/auth.json")
    return (*([Path(named)] if named else ()), docker, *podman)


def credential_for(
    reference: Reference, environ: Mapping[str, str] = os.environ, run: Runner = run
) -> Credential | None:
    """The credential for the registry of ``reference``; None where nobody has logged in to it.

    Raises :class:`ConfigurationError` for a file that can't be read, :class:`ToolError` for a helper that fails.
    """
    found = (_in_file(path, reference, run) for path in credential_files(environ))
    return next(filter(None, found), None)


def _in_file(path: Path, reference: Reference, run: Runner) -> Credential | None:
    document = _read(path)
    key = _HUB_KEY if reference.registry == DOCKER_HUB else reference.registry
    helpers = {_host(name): helper for name, helper in _table(document, "credHelpers").items()}
    if helper := helpers.get(reference.registry):
        return _ask(helper, key, f"{path}, credHelpers", run)
    if store := document.get("credsStore"):
        try:
            credential = _ask(store, key, f"{path}, credsStore", run)
        except ToolError as error:
            if isinstance(error, ProgramFailed):
                raise
            credential = None  # the helper is gone with another installation of Docker
        if credential:
            return credential
    entries = {_host(name): entry for name, entry in _table(document, "auths").items()}
    present = (entries[name] for name in _scopes(reference) if name in entries)
    return next(filter(None, (_from_entry(entry, path) for entry in present)), None)


def _read(path: Path) -> dict[str, Any]:
    try:
        document = json_value(path.read_text(encoding="utf-8") or "{}")
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, ValueError) as error:
        raise ConfigurationError(
            f"the credentials in {path} can't be read", evidence=str(error), step="correct that file, or log in again"
        ) from error
    return document if isinstance(document, dict) else {}


def _table(document: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    table = document.get(name)
    return table if isinstance(table, dict) else {}


def _host(name: str) -> str:
    """The name of a registry, which Docker's files also write as a URL."""
    name = name.removeprefix("https://").removeprefix("http://").rstrip("/").removesuffix("/v1").removesuffix("/v2")
    return DOCKER_HUB if name in {"index.docker.io", "registry-1.docker.io"} else name


def _scopes(reference: Reference) -> Iterator[str]:
    """The names that an entry for ``reference`` may have, the closest first (containers-auth.json(5))."""
    parts = [reference.registry, *reference.repository.split("/")]
    for count in range(len(parts), 0, -1):
        yield "/".join(parts[:count])


def _from_entry(entry: Any, path: Path) -> Credential | None:
    """The credential of an entry of ``auths``; None for an empty one, which only notes that a store has it."""
    if not isinstance(entry, dict):
        return None
    for name in ("identitytoken", "registrytoken", "username", "password"):
        if not isinstance(entry.get(name) or "", str):
            raise ConfigurationError(f"a credential in {path} is no text", evidence=name, step="log in again")
    if token := entry.get("identitytoken"):
        return Credential(token, str(path), kind="identity token")
    if token := entry.get("registrytoken"):
        return Credential(token, str(path), kind="registry token")
    username, password = entry.get("username") or "", entry.get("password") or ""
    if encoded := entry.get("auth"):
        try:
            username, _, password = base64.b64decode(encoded).decode().rstrip("\0").partition(":")
        except (ValueError, TypeError) as error:
            raise ConfigurationError(
                f"a credential in {path} is not written in base64", evidence=str(error), step="log in again"
            ) from error
    return Credential(password, str(path), username) if username else None


def _ask(helper: str, key: str, source: str, run: Runner) -> Credential | None:
    """The credential that a helper has, if any (github.com/docker/docker-credential-helpers)."""
    program = f"{_HELPER}{helper}"
    try:
        answer = json_value(run([program, "get"], stdin=key).stdout)
    except ProgramFailed as error:
        if _UNKNOWN in error.stdout + error.stderr:
            return None
        raise
    except ValueError as error:
        raise ToolError(f"{program} answers no JSON", evidence=source, step=f"see that {program} works") from error
    if not isinstance(answer, dict):
        raise ToolError(f"{program} answers no JSON object", evidence=source, step=f"see that {program} works")
    username, secret = str(answer.get("Username", "")), str(answer.get("Secret", ""))
    if not secret:
        return None
    if username == _NO_NAME:
        return Credential(secret, f"{source}: {program}", kind="identity token")
    return Credential(secret, f"{source}: {program}", username)


def asking_once(run: Runner) -> Runner:
    """``run``, by which a helper is asked once about a registry, and again after :data:`_HOLDS`: from any thread."""
    locks: defaultdict[tuple[str, str], Lock] = defaultdict(Lock)
    answers: dict[tuple[str, str], tuple[float, Completed | ProgramFailed]] = {}

    def asked(
        command: Sequence[str], *, cwd: Path | None = None, env: Mapping[str, str] | None = None, stdin: str = ""
    ) -> Completed:
        if not command[0].startswith(_HELPER):
            return run(command, cwd=cwd, env=env, stdin=stdin)
        key = command[0], stdin
        with locks[key]:
            at, answer = answers.get(key, (-_HOLDS, None))
            if answer is None or time.monotonic() - at >= _HOLDS:
                try:
                    answer = run(command, cwd=cwd, env=env, stdin=stdin)
                except ProgramFailed as error:
                    answer = error
                answers[key] = time.monotonic(), answer
        if isinstance(answer, ProgramFailed):
            raise answer
        return answer

    return asked

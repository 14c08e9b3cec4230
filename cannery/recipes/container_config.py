"""How a container starts: entry point, environment, user, labels (OCI image-spec v1.1, config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery import __version__
from cannery.project.app import HOME, ScriptEntry
from cannery.trees.installed import entry_command
from cannery.trees.system import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.image import Base
    from cannery.project.app import App

__all__ = ["config_of_its_own", "config_on_base", "container_config", "program_config"]

_NOT_INHERITED = {"Cmd", "OnBuild", "ArgsEscaped"}


def container_config(app: App, python: str) -> dict[str, Any]:
    """How a container starts (OCI image-spec v1.1, config.md); ``python`` is the interpreter's path in the image."""
    environment = {"PATH": "/usr/local/bin", **_environment(app, certificates=True), **app.settings.env}
    return {
        **_own(app, entry_command(app, python), f"{app.settings.uid}:{app.settings.uid}"),
        "Env": _pairs(environment),
        "Labels": _labels(app),
    }


def program_config(app: App, program: str, *, unpacks: bool = True) -> dict[str, Any]:
    """How a container starts that holds a ``program`` and no Python: nothing there reads Python's variables.

    One that ``unpacks`` itself does so in /tmp, from where it must be able to run.
    """
    environment = {"PATH": "/usr/local/bin", **_bundle(app), **app.settings.env}
    return {
        **_own(app, (program,), f"{app.settings.uid}:{app.settings.uid}"),
        "Env": _pairs(environment),
        "Labels": {**({"dev.cannery.needs": "executable-tmp"} if unpacks else {}), **_labels(app)},
        "WorkingDir": "/",
    }


def config_of_its_own(app: App, entry: tuple[str, ...]) -> dict[str, Any]:
    """What the app adds to a base that nobody has looked into."""
    user = f"{app.settings.uid}:{app.settings.uid}"
    environment = {**_environment(app, certificates=False), **app.settings.env}
    return {**_own(app, entry, user), "Env": _pairs(environment), "Labels": _labels(app)}


def config_on_base(app: App, base: Base, entry: tuple[str, ...], user: str, *, certificates: bool) -> dict[str, Any]:
    """How a container starts on top of ``base``: as the base says, but for what the app says, or must.

    As with a Dockerfile, a new entry point drops the base's ``Cmd``, and what the base wanted to run in images that
    are built upon it is no matter of those. ``certificates`` is whether the image has a bundle of ours.
    """
    inherited = base.config.get("config") or {}
    pairs = (pair.partition("=") for pair in inherited.get("Env") or ())
    environment = {name: value for name, _, value in pairs}
    optimized = {"PYTHONOPTIMIZE": str(app.settings.optimize)} if app.settings.optimize else {}  # sources go in
    environment |= {**_environment(app, certificates=certificates), **optimized, **app.settings.env}
    own = {**_own(app, entry, user), "Env": _pairs(environment)}
    own["Labels"] = {**(inherited.get("Labels") or {}), **_base_labels(base), **_labels(app)}
    for key in ("ExposedPorts", "Volumes"):
        if together := {**(inherited.get(key) or {}), **own.get(key, {})}:
            own[key] = together
    kept = {key: value for key, value in inherited.items() if key not in _NOT_INHERITED and value is not None}
    return {**kept, **own}


def _own(app: App, entry: tuple[str, ...], user: str) -> dict[str, Any]:
    """What the app says, wherever it lies."""
    settings = app.settings
    config: dict[str, Any] = {"Entrypoint": list(entry), "User": user, "WorkingDir": str(HOME)}
    if settings.args:
        config["Cmd"] = list(settings.args)
    if settings.ports:
        config["ExposedPorts"] = {port if "/" in port else f"{port}/tcp": {} for port in settings.ports}
    if settings.volumes:
        config["Volumes"] = {path: {} for path in settings.volumes}
    if settings.stop_signal:
        config["StopSignal"] = settings.stop_signal
    return config


def _environment(app: App, *, certificates: bool) -> dict[str, str]:
    """The variables that a Python in a container had better have."""
    bundle = _bundle(app)
    if not certificates:
        del bundle["SSL_CERT_FILE"]
    return {
        "LANG": "C.UTF-8",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",  # the home folder is /tmp, where anybody could put a module
        "PYTHONUNBUFFERED": "1",
        **bundle,
        **_search_path(app),
    }


def _bundle(app: App) -> dict[str, str]:
    """Where the CA certificates are; requests brings its own, and is told only of those that the settings name."""
    named = {"REQUESTS_CA_BUNDLE": CERTIFICATES} if app.settings.ca_certificates else {}
    return {"SSL_CERT_FILE": CERTIFICATES, **named}


def _pairs(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _base_labels(base: Base) -> dict[str, str]:
    """Where the image comes from (OCI image-spec v1.1, annotations.md); a path of this machine is nobody's business."""
    names = {"org.opencontainers.image.base.name": base.reference} if base.reference else {}
    return {"org.opencontainers.image.base.digest": str(base.digest), **names}


def _search_path(app: App) -> dict[str, str]:
    """``PYTHONPATH``, unless the app's modules lie beside its script, where Python looks anyway."""
    beside = app.entry.path.parent if isinstance(app.entry, ScriptEntry) else None
    roots = [str(HOME / root) for root in app.import_roots if root != beside]
    return {"PYTHONPATH": ":".join(roots)} if roots else {}


def _labels(app: App) -> dict[str, str]:
    """The project's metadata under the names of OCI image-spec v1.1, annotations.md."""
    urls = {name.lower(): url for name, url in app.metadata.urls}
    labels = {
        "title": app.name,
        "description": app.metadata.description,
        "version": app.metadata.version or "",
        "licenses": app.metadata.license,
        "authors": app.metadata.authors,
        "url": urls.get("homepage", ""),
        "source": urls.get("source") or urls.get("repository", ""),
        "documentation": urls.get("documentation", ""),
    }
    named = {f"org.opencontainers.image.{key}": value for key, value in labels.items() if value}
    return {
        **named,
        "dev.cannery.recipe": app.settings.recipe,
        "dev.cannery.version": __version__,
        **app.settings.labels,
    }

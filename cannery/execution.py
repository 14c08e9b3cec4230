"""How a container starts: entry point, environment, user, labels (OCI image-spec v1.1, config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery import __version__
from cannery.app import Script
from cannery.trees.collected import HOME
from cannery.trees.installed import entry_command
from cannery.trees.system import CERTIFICATES

if TYPE_CHECKING:
    from cannery.app import App

__all__ = ["container_config"]


def container_config(app: App, python: str) -> dict[str, Any]:
    """How a container starts (OCI image-spec v1.1, config.md); ``python`` is the interpreter's path in the image."""
    settings = app.settings
    environment = {
        "LANG": "C.UTF-8",
        "PATH": "/usr/local/bin",
        "PYTHONDONTWRITEBYTECODE": "1",
        "PYTHONNOUSERSITE": "1",  # the home folder is /tmp, where anybody could put a module
        "PYTHONUNBUFFERED": "1",
        "SSL_CERT_FILE": CERTIFICATES,
        **({"REQUESTS_CA_BUNDLE": CERTIFICATES} if settings.ca_certificates else {}),  # requests brings its own
        **_search_path(app),
        **settings.env,
    }
    config: dict[str, Any] = {
        "Entrypoint": list(entry_command(app, python)),
        "Env": [f"{name}={value}" for name, value in environment.items()],
        "Labels": _labels(app),
        "User": f"{settings.user}:{settings.user}",
        "WorkingDir": str(HOME),
    }
    if settings.args:
        config["Cmd"] = list(settings.args)
    if settings.ports:
        config["ExposedPorts"] = {port if "/" in port else f"{port}/tcp": {} for port in settings.ports}
    if settings.volumes:
        config["Volumes"] = {path: {} for path in settings.volumes}
    if settings.stop_signal:
        config["StopSignal"] = settings.stop_signal
    return config


def _search_path(app: App) -> dict[str, str]:
    """``PYTHONPATH``, unless the app's modules lie beside its script, where Python looks anyway."""
    beside = app.entry.path.parent if isinstance(app.entry, Script) else None
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

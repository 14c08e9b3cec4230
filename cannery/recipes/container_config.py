"""The ``config`` of an image: entry point, environment, user, labels (OCI image-spec v1.1, config.md)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from cannery import __version__
from cannery.containers.needs import EXECUTABLE_TMP, NEEDS_LABEL
from cannery.containers.ports import published_port
from cannery.project.app import HOME, ScriptEntry
from cannery.trees.installed import entry_command
from cannery.trees.small_programs import HEALTH, INIT
from cannery.trees.system import CERTIFICATES

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.image.image import Base
    from cannery.project.app import App

__all__ = ["config_of_its_own", "config_on_base", "container_config", "program_config", "program_environment"]

_NOT_INHERITED = {"Cmd", "OnBuild", "ArgsEscaped"}


def container_config(app: App, python: str) -> dict[str, Any]:
    """The config of an image of our own Python, whose path in it is ``python``."""
    environment = {"PATH": "/usr/local/bin", **_environment(app, certificates=True), **app.settings.env}
    return {
        **_own(app, entry_command(app, python), f"{app.settings.uid}:{app.settings.uid}"),
        "Env": _pairs(environment),
        "Labels": _labels(app),
    }


def program_config(app: App, program: str, *, unpacks: bool = True, resources: bool = False) -> dict[str, Any]:
    """The config of an image of one ``program``, with none of the variables that only a Python reads.

    Where ``resources`` of the project lie in the image, the program starts among them, as others do.

    A program that ``unpacks`` itself does so in /tmp, and runs from there: a label says that /tmp must allow it.
    """
    return {
        **_own(app, (program,), f"{app.settings.uid}:{app.settings.uid}"),
        "Env": _pairs(program_environment(app)),
        "Labels": {**({NEEDS_LABEL: EXECUTABLE_TMP} if unpacks else {}), **_labels(app)},
        "WorkingDir": str(HOME) if resources else "/",
    }


def program_environment(app: App) -> dict[str, str]:
    """The variables of an image of one program."""
    return {"PATH": "/usr/local/bin", **_bundle(app), **app.settings.env}


def config_of_its_own(app: App, entry: tuple[str, ...]) -> dict[str, Any]:
    """The config for a Dockerfile, whose base can't be looked into; ``entry`` is the entry point."""
    user = f"{app.settings.uid}:{app.settings.uid}"
    environment = {**_environment(app, certificates=False), **app.settings.env}
    return {**_own(app, entry, user), "Env": _pairs(environment), "Labels": _labels(app)}


def config_on_base(app: App, base: Base, entry: tuple[str, ...], user: str, *, certificates: bool) -> dict[str, Any]:
    """The config of an image on top of ``base``: the base's, with the app's entry point, user, variables and labels.

    The base's ``Cmd`` is dropped, as ``docker build`` does it for a new entry point, and so is its ``OnBuild``.
    ``certificates`` is true where the image has a bundle of CA certificates of ours.
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
    """The part of the config that follows from the app alone, whatever is below it."""
    settings = app.settings
    before = (INIT,) if settings.init else ()
    config: dict[str, Any] = {"Entrypoint": [*before, *entry], "User": user, "WorkingDir": str(HOME)}
    if app.arguments:
        config["Cmd"] = list(app.arguments)
    if app.ports:
        config["ExposedPorts"] = {published_port(text).container: {} for text in app.ports}
    if settings.volumes:
        config["Volumes"] = {path: {} for path in settings.volumes}
    if settings.health:
        config["Healthcheck"] = {"Test": ["CMD", HEALTH]}  # Docker's; OCI has none
    if settings.stop_signal:
        config["StopSignal"] = settings.stop_signal
    return config


def _environment(app: App, *, certificates: bool) -> dict[str, str]:
    """The variables for a Python in a container; with ``certificates``, those that lead to our bundle, too."""
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
    """The variables that lead to the CA certificates; for requests, which brings its own, only to configured ones."""
    named = {"REQUESTS_CA_BUNDLE": CERTIFICATES} if app.settings.ca_certificates else {}
    return {"SSL_CERT_FILE": CERTIFICATES, **named}


def _pairs(environment: Mapping[str, str]) -> list[str]:
    return [f"{name}={value}" for name, value in environment.items()]


def _base_labels(base: Base) -> dict[str, str]:
    """Labels with the base's digest and its reference (OCI image-spec v1.1, annotations.md), but no path of ours."""
    names = {"org.opencontainers.image.base.name": base.reference} if base.reference else {}
    return {"org.opencontainers.image.base.digest": str(base.digest), **names}


def _search_path(app: App) -> dict[str, str]:
    """``PYTHONPATH`` with the folders that imports start from, less the script's own, where Python looks anyway."""
    alone = isinstance(app.entry, ScriptEntry) and not app.commands
    beside = app.entry.path.parent if isinstance(app.entry, ScriptEntry) and alone else None
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

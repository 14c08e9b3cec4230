"""What the user had better know of an app, whatever becomes of it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from cannery.project.app import ScriptEntry

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.project.requirements import Requirements

__all__ = ["notes_on"]


def notes_on(app: App, requirements: Requirements | None) -> tuple[str, ...]:
    """Notes on the app's version and on those of what it requires."""
    notes = [_NO_VERSION] if _lacks_version(app) else []
    if requirements is not None and not requirements.locked:
        notes.append(_unlocked(requirements.source.name))
    return tuple(notes)


def _unlocked(name: str) -> str:
    return (
        f"{name} pins no versions, so another machine may take others: lock them "
        "(uv lock, or uv pip compile --generate-hashes)"
    )


_NO_VERSION = (
    "the project's version is dynamic, so importlib.metadata won't know it in the image: give it with "
    "[tool.cannery] version, or CANNERY_VERSION"
)


def _lacks_version(app: App) -> bool:
    """Whether a package goes in without its metadata; a script isn't installed, and has none."""
    return app.metadata.version is None and "version" in app.metadata.dynamic and not isinstance(app.entry, ScriptEntry)

"""What was taken from the project's files though no setting says so, in the reports."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from msgspec.structs import asdict

from cannery.project.starts import typed_command

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.project.app import App, Found

__all__ = ["commands_as_json", "found_as_json", "found_lines"]


def commands_as_json(app: App) -> dict[str, str]:
    """The commands of the image beside its own start, by name, each as it would be typed."""
    return {command.name: typed_command(command) for command in app.commands}


def found_as_json(found: Iterable[Found]) -> list[dict[str, Any]]:
    """Each of ``found`` in JSON's types."""
    return [asdict(each) for each in found]


def found_lines(found: Iterable[Found]) -> Iterator[str]:
    """A line for each of ``found``: ``found    entry: gunicorn main:app  (in Procfile)``."""
    for each in found:
        where = "" if each.source == each.value else f"  (in {each.source})"
        yield f"found    {each.what}: {each.value}{where}"

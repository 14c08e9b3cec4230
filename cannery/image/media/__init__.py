"""Media: what holds images. All of them are read; all but registries are written, too.

All are a :class:`~cannery.image.media.medium.Medium`: opened at one image, whose documents and blobs
:func:`cannery.image.pull` reads. ``README.md`` beside this file shows what lies in each.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from cannery.image.media.archive import Archive
    from cannery.image.media.docker_archive import DockerArchive
    from cannery.image.media.layout import Layout
    from cannery.image.media.medium import Medium, WritableMedium
    from cannery.image.media.registry import Registry

__all__ = ["Archive", "DockerArchive", "Layout", "Medium", "Registry", "WritableMedium"]

_MODULES: Final = {
    "Archive": "archive",
    "DockerArchive": "docker_archive",
    "Layout": "layout",
    "Medium": "medium",
    "Registry": "registry",
    "WritableMedium": "medium",
}


if not TYPE_CHECKING:  # a type checker knows the names from above, and that there are no others

    def __getattr__(name: str) -> object:
        """A name of ``__all__``, imported when it's asked for (PEP 562): the medium in use, and no other."""
        if name not in _MODULES:
            raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
        return getattr(import_module(f"{__name__}.{_MODULES[name]}"), name)


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

"""The forms that a bill of materials is written in, by their names."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.bom.cyclonedx import cyclonedx
from cannery.bom.spdx import spdx
from cannery.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from cannery.bom.inventory import Inventory

__all__ = ["format_of", "written"]

_WRITERS: Final[Mapping[str, Callable[[Inventory], bytes]]] = {"cyclonedx": cyclonedx, "spdx": spdx}


def format_of(name: str | None, output: str | None) -> str | None:
    """The form called ``name``; where it isn't named the one for the file ``output``, or None where there is none.

    Raises :class:`ConfigurationError` for a name that isn't known.
    """
    if name is None:
        return None if output is None else ("spdx" if ".spdx" in output else "cyclonedx")
    if name not in _WRITERS:
        raise ConfigurationError(
            f"there is no form {name!r} of bills of materials",
            evidence=did_you_mean(name, _WRITERS),
            step=f"they are: {', '.join(_WRITERS)}",
        )
    return name


def written(inventory: Inventory, form: str) -> bytes:
    """The bill of materials of ``inventory`` in the ``form`` of that name."""
    return _WRITERS[form](inventory)

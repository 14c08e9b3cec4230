"""Follows ctypes.util in a static executable, which is the C library itself."""

TYPE_CHECKING = False
if TYPE_CHECKING:
    from ctypes.util import find_library as _found_elsewhere
else:
    _found_elsewhere = find_library  # noqa: F821  # of the module that this follows


def find_library(name: str) -> str | None:
    """Return the name by which CDLL opens the program, where ``name`` is of the C library; others as programs tell."""
    return f"lib{name}.so" if name in {"c", "dl", "m", "pthread", "rt", "util"} else _found_elsewhere(name)

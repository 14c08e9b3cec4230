"""What makes an executable of its parts: the code of cannery that does it, and the programs that this runs."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.workspace.digest import Digest
from cannery.workspace.keys import key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CODE", "code_of", "maker_key"]

CODE = Path(__file__).parents[2]  # the package cannery
_PARTS = (
    *(
        "recipes/static_program.py",
        "executable/static/archive.py",
        "executable/static/columns.py",
        "executable/static/link.py",
        "python/marshal.py",
    ),
    *("executable/static/packing.py", "executable/kit/toolchain.py"),
)
_PROGRAMS = ("ziglang", "zstandard")


def maker_key(code: Path = CODE) -> str:
    """A name for what makes executables: another one as soon as that may make something else of the same parts."""
    digests = {path.relative_to(code).as_posix(): Digest.of(path.read_bytes()).hex for path in code_of(code)}
    return key_of("maker", digests, [_version(name) for name in _PROGRAMS])


def code_of(code: Path) -> Iterator[Path]:
    """The files of cannery that take part in making an executable, in C and in Python."""
    yield from (code / part for part in _PARTS)
    yield from sorted(
        path for path in (code / "executable/static/launcher").iterdir() if path.suffix in {".c", ".h", ".py"}
    )


def _version(distribution: str) -> str | None:
    try:
        return version(distribution)
    except PackageNotFoundError:
        return None

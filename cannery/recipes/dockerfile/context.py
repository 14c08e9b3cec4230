"""The ``.dockerignore`` of a Dockerfile: it lets a build see the files that go in, and nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.recipes.dockerfile.templates import MARK

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["dockerignore"]

_HEAD: Final = f"""\
# What a build of the image may see of the project: all that isn't named stays away from it, secrets and virtual
# environments among it. {MARK}", as the Dockerfile is.
*
"""


def dockerignore(paths: Iterable[str], excluded: Iterable[str]) -> str:
    """A ``.dockerignore`` (docs.docker.com, build context) that lets through ``paths``, less what is ``excluded``.

    ``excluded`` are patterns of the configuration, whose ``*`` crosses folders.
    """
    allowed = (f"!{path}" for path in paths)
    lines = dict.fromkeys([*allowed, "**/__pycache__", "**/*.py[co]", *_translated(excluded)])
    return _HEAD + "".join(f"{line}\n" for line in lines)


def _translated(patterns: Iterable[str]) -> Iterator[str]:
    for pattern in patterns:
        text = pattern.rstrip("/")
        yield text
        if text.startswith("*"):
            yield f"**/{text}"
        if "/*" in text:
            yield text.replace("/*", "/**/*")

"""The steps of starting a container, each of which the kernel may refuse."""

from __future__ import annotations

from contextlib import contextmanager
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["CHDIR", "EXEC", "INTERPRETER", "StepError", "step"]

# The steps that depend on the image: an error in any other one is the machine's.
CHDIR: Final = "chdir"
EXEC: Final = "exec"
INTERPRETER: Final = "exec of the interpreter"


class StepError(Exception):
    """The kernel refused one step of starting a container."""

    def __init__(self, step: str, errno: int) -> None:
        """``step`` is its name; ``errno`` is 0 where the kernel gave none."""
        super().__init__(step, errno)
        self.step = step
        self.errno = errno


@contextmanager
def step(name: str) -> Iterator[None]:
    """Turn an :class:`OSError` into a :class:`StepError` of the step called ``name``."""
    try:
        yield
    except OSError as error:
        raise StepError(name, error.errno or 0) from error

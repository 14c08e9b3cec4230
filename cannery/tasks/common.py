"""What the tasks share: finding the project, saying what went wrong, and the flags of a build."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeVar

from invoke.exceptions import Exit

from cannery.errors import CanneryError

if TYPE_CHECKING:
    from cannery.app import App

__all__ = ["BUILD_HELP", "friendly", "load_app", "program_name", "project_folder"]

Task = TypeVar("Task", bound=Callable[..., Any])

_INTERRUPTED = 130  # as a shell reports a program that SIGINT ended

BUILD_HELP = {
    "recipe": "Which recipe to build by (default: scratch).",
    "tag": "Tag of the image (default: latest).",
    "python": "Python of the image: a version such as 3.12, or a path (default: the one that runs this).",
    "output": "Where to write the archive (default: dist/NAME.tar).",
    "strip": "Take symbols from the shared libraries of wheels, too.",
    "refresh": "Resolve requirements that no lock pins once more.",
    "project": "Folder of the project (default: the nearest one with a pyproject.toml).",
}


def friendly(task: Task) -> Task:
    """Make a task end with a message and an exit code where the user can help, never with a traceback."""

    @functools.wraps(task)
    def guarded(*args: Any, **kwargs: Any) -> Any:
        # Invoke turns it off to keep tasks.py's folder clean; every build would compile all of cannery once more.
        sys.dont_write_bytecode = bool(sys.flags.dont_write_bytecode)
        try:
            return task(*args, **kwargs)
        except CanneryError as error:
            _complain(error)
            raise Exit(code=error.exit_code) from error
        except KeyboardInterrupt as error:
            print("interrupted", file=sys.stderr)
            raise Exit(code=_INTERRUPTED) from error

    return guarded  # type: ignore[return-value]


def load_app(project: str | None, **flags: object) -> App:
    """The app of the project in question; ``flags`` are settings given on the command line."""
    from cannery.config import load  # noqa: PLC0415

    return load(project_folder(project), flags)


def project_folder(chosen: str | None) -> Path:
    """The chosen folder, or the nearest one upwards that has a ``pyproject.toml``, or this one."""
    if chosen:
        return Path(chosen)
    here = Path.cwd()
    return next((folder for folder in (here, *here.parents) if (folder / "pyproject.toml").is_file()), here)


def program_name() -> str:
    """How the user called this: ``invoke``, ``inv`` or ``cannery``."""
    name = Path(sys.argv[0]).name
    return name if name in {"invoke", "inv", "cannery"} else "cannery"


def _complain(error: CanneryError) -> None:
    red, plain = ("\033[1;31m", "\033[0m") if sys.stderr.isatty() else ("", "")
    print(f"{red}error:{plain} {error}", file=sys.stderr)

"""``cannery``: the same tasks as a command of its own, for a folder with no ``tasks.py``."""

from __future__ import annotations

from invoke.program import Program

from cannery import __version__
from cannery.tasks import namespace

__all__ = ["program"]

_HELP = """\
Usage: {binary} COMMAND [--OPTIONS] [-- ARGUMENTS]

Packs a Python project into a container image that is small, holds no source code, runs as nobody, and comes out the
same every time. No Docker, no Dockerfile and no base image is needed.

  {binary} image                    build the image of the project in this folder
  {binary} run -- --help            run it, and pass it --help
  {binary} image --help             what a command can do

Shell completion: {binary} --print-completion-script bash|zsh|fish
"""


class _CanneryProgram(Program):
    """Invoke's program, whose help begins with the commands that most people want."""

    def print_help(self) -> None:
        print(_HELP.format(binary=self.binary))
        self.list_tasks()


program = _CanneryProgram(
    name="cannery", binary="cannery", binary_names=["cannery"], namespace=namespace, version=__version__
)

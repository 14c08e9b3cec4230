"""``cannery``: the same tasks as a command of its own, for a folder with no ``tasks.py``."""

from __future__ import annotations

import inspect
from contextlib import suppress

from invoke.config import Config
from invoke.exceptions import Exit, ParseError
from invoke.program import Program
from invoke.terminals import pty_size

from cannery import __version__
from cannery.tasks import namespace
from cannery.tasks.completion import values_for
from cannery.tasks.flags import TAKING_WORDS
from cannery.tasks.help import columns, option, paragraphs, usage

__all__ = ["program"]

_HELP = """\
Usage: {binary} COMMAND [--OPTIONS] [-- ARGUMENTS]

Packs a Python project into a small container image. The image holds no source code, doesn't run as root, and is the
same each time you build it. You need no Docker, no Dockerfile and no base image.

  {binary} image              build this folder's project
  {binary} run -- --help      run it, and pass it --help
  {binary} image --help       what a command can do

Shell completion: {binary} --print-completion-script SHELL (bash, zsh, fish)
"""


_HELP_FLAGS = frozenset({"--help", "-h"})
_USAGE = 2  # the exit code for a command line that is wrong, as for a wrong setting


class _InvokeConfig(Config):
    """Invoke's settings, of which a home folder that can't be looked into has none."""

    def load_user(self, merge: bool = True) -> None:
        with suppress(OSError):
            super().load_user(merge)


class _CanneryProgram(Program):
    """Invoke's program, whose help begins with the commands that most people want, and whose refusals advise."""

    def parse_tasks(self) -> None:
        try:
            super().parse_tasks()
        except ParseError as error:
            wants_help = not _HELP_FLAGS.isdisjoint(self.argv)
            if wants_help and error.context is not None and error.context.name:  # of one that lacks an argument
                self.print_task_help(error.context.name)
                raise Exit(code=0) from error
            raise Exit(self._refusal(error), _USAGE) from error
        for context in self.tasks:  # Invoke takes --help for the first argument of a command that has one
            if any(argument.value in _HELP_FLAGS for argument in context.positional_args):
                self.print_task_help(str(context.name))
                raise Exit(code=0)

    def parse_cleanup(self) -> None:
        if self.args.complete.value and (values := values_for(self.core.remainder)):
            print("\n".join(values))
            raise Exit(code=0)
        try:
            super().parse_cleanup()
        except ParseError as error:  # of --help COMMAND
            raise Exit(self._refusal(error), _USAGE) from error

    def _refusal(self, error: ParseError) -> str:
        from cannery.tasks.slips import refusal  # noqa: PLC0415  # needed for errors alone
        from cannery.workspace.streams import visible  # noqa: PLC0415

        return visible(f"error: {refusal(error, list(self.collection.task_names))}")

    def print_help(self) -> None:
        print(paragraphs(_HELP.format(binary=self.binary), pty_size()[0]), end="\n\n")
        self.list_tasks()

    def print_task_help(self, name: str) -> None:
        """Print the help of the command ``name``, in place of Invoke's, which speaks of tasks and their docstrings."""
        context = self.parser.contexts[name]
        positional = [str(argument.name) for argument in context.positional_args]
        print(usage(self.binary, name, positional, words=TAKING_WORDS.get(name, "")), end="\n\n")
        print(paragraphs(inspect.getdoc(self.collection[name]) or "", pty_size()[0]), end="\n\nOptions:\n")
        rows = [(option(spec), words or "") for spec, words in context.help_tuples()]
        print(columns(rows, pty_size()[0]), end="\n\n")


program = _CanneryProgram(
    name="cannery",
    binary="cannery",
    binary_names=["cannery"],
    namespace=namespace,
    version=__version__,
    config_class=_InvokeConfig,
)

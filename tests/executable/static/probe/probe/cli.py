"""The command line."""

import sys

from probe import checks


def main() -> None:
    command, *arguments = sys.argv[1:]
    getattr(checks, command)(*arguments)

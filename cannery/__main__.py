"""``cannery``, and ``python -m cannery``: the tasks as a command of its own."""

from __future__ import annotations

import signal

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Until a task begins there is nothing to clean up: an interrupt ends the process there and then, with no traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    from cannery.tasks.program import program  # noqa: PLC0415

    program.run()


if __name__ == "__main__":
    main()

"""``cannery``, and ``python -m cannery``: the tasks as a command of its own."""

from __future__ import annotations

import signal
import sys

from cannery.workspace.postponed import postponed

__all__ = ["main"]


def main() -> None:
    """Run the command line.

    Until a task begins there is nothing to clean up: an interrupt ends the process there and then, with no traceback.
    """
    if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        signal.signal(signal.SIGINT, signal.SIG_DFL)
    with postponed("unittest.mock", "Mock"), postponed("invoke.vendor.yaml"):
        import invoke  # noqa: F401, PLC0415  # which has these for tests of tasks, and for settings in YAML
    from cannery.tasks.program import program  # noqa: PLC0415

    try:
        try:
            program.run()
        finally:
            if sys.stdout is not None and not sys.stdout.closed:
                sys.stdout.flush()
    except BrokenPipeError:  # the reader has seen enough, as head has; tasks see to themselves
        from cannery.workspace.streams import abandon  # noqa: PLC0415

        abandon(sys.stdout)
        sys.exit(128 + signal.SIGPIPE)


if __name__ == "__main__":
    main()

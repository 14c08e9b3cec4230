"""Run as a script by the Python in question: Invoke's command line, and then the peak of its memory.

The last line of the output is two numbers, in kilobytes: of this process, and of the largest that it started.
"""

import atexit
import resource
import sys

from invoke.main import program


def report() -> None:
    """Print the peak of this process and that of its largest child (getrusage(2), ru_maxrss)."""
    peaks = (resource.getrusage(who).ru_maxrss for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
    print(*peaks)


if __name__ == "__main__":
    atexit.register(report)
    program.run(["invoke", *sys.argv[1:]])

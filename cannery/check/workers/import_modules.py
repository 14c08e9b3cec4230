"""Import modules, and write what came of each: a line of the name, the exception's class, its module and its words.

The arguments are the folders to look in first, joined by colons, and the names. Nothing is imported here that an
interpreter doesn't hold in itself: an image need have nothing else.
"""

import posix
import sys

BEGIN, BETWEEN = "\x1e", "\x1f"  # no module prints these (ECMA-48, record and unit separator)


def come_of(name: str) -> "tuple[str, str, str]":
    """The class of the exception that an import raises, the module that it's about, and its words; empty for none."""
    try:
        __import__(name)
    except BaseException as error:  # noqa: BLE001  # a module may raise anything, SystemExit among it
        return type(error).__name__, str(getattr(error, "name", None) or ""), str(error)
    return "", "", ""


def main() -> None:
    """Import one module after the other, and end without what they would do at the end."""
    roots, *names = sys.argv[1:]
    sys.argv[1:] = []  # what a module reads there, it's not for
    sys.path[:0] = roots.split(":")
    for name in names:
        line = BETWEEN.join((name, *come_of(name))).replace("\n", " ")
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        posix.write(1, f"\n{BEGIN}{line}\n".encode("utf-8", "backslashreplace"))
    posix._exit(0)  # noqa: SLF001  # what they started would keep this process


main()

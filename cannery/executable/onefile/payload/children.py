"""Run before the app in a bundled program: a process that multiprocessing starts is no second start of the app.

``sys.executable`` is the program itself, so without this a pool of processes would start the program again, and each of
those another pool (pyinstaller #7438). What is imported is named in a string, so that it alone brings nothing in.
"""

import sys

HELPERS = ("from multiprocessing.", "import sys; from multiprocessing.")


def become_child(main: str) -> None:
    """Do what multiprocessing asks of this process, if it started it; ``main`` is the app's script as a module.

    A child runs that once more, under another name, to have what it defines; there's no file to run it from.
    """
    if "--multiprocessing-fork" in sys.argv or any(argument.startswith(HELPERS) for argument in sys.argv):
        multiprocessing = __import__("multiprocessing.spawn")
        spawn = multiprocessing.spawn
        spawn._fixup_main_from_path = lambda _: spawn._fixup_main_from_name(main) if main else None  # noqa: SLF001
        multiprocessing.freeze_support()

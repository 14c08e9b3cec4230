"""Run before the app in a bundled program: starts the command whose name the program was called by, as BusyBox does.

Arguments that people write in the place of defaults, and variables of the environment in defaults, are seen to here.
"""

import os
import sys


def start(
    commands: "dict[str, tuple[str, str, tuple[object, ...], tuple[tuple[str, object], ...]]]", loader: int
) -> None:
    """Start the command that this process was called by, and end with it; go on where it's none, or the app's own.

    ``commands`` has by name: module, function or nothing, arguments, variables. The app's own has no name. ``loader``
    is the ID of staticx's bootloader, where that started the program.
    """
    name = _called(loader)
    module, function, words, env = commands.get(name) or commands[""]
    os.environ.update((key, _filled(value)) for key, value in env)
    filled = [word for word in map(_filled, words) if word]
    if name not in commands:
        sys.argv[1:] = sys.argv[1:] or filled
        return
    sys.argv[1:1] = filled
    if function:
        found: object = __import__(module, fromlist=["*"])
        for part in function.split("."):
            found = getattr(found, part)
        if callable(found):
            sys.exit(found())
    __import__("runpy").run_module(module, run_name="__main__", alter_sys=True)
    sys.exit()


def _called(loader: int) -> str:
    """The name that this was called by; staticx's bootloader, which waits for this process, keeps it to itself."""
    name = sys.argv[0]
    if "STATICX_PROG_PATH" in os.environ:
        try:
            with open(f"/proc/{loader}/cmdline", "rb") as file:  # noqa: PTH123  # pathlib is large
                name = os.fsdecode(file.read().partition(b"\0")[0])
        except OSError:
            pass
    return name.rpartition("/")[2]


def _filled(word: object) -> str:
    """The word, whose variables are pairs in it: name, and default."""
    parts = word if isinstance(word, tuple) else (word,)
    return "".join(part if isinstance(part, str) else os.environ.get(part[0]) or part[1] for part in parts)

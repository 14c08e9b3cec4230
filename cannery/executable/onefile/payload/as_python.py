"""Runs what a Python would run, in a bundled program that its own processes start as ``sys.executable``.

``[sys.executable, "-m", "pip"]`` would start the program once more otherwise, and may do so without end. The options
are those of "Command line and environment" in Python's documentation; those that change how Python starts do nothing.
"""

import os
import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types

MARK = "CANNERY_PYTHON"  # the variable that has the program which started this process, directly or not
ALONE = "bBdEiIOPqRsSuvx"  # options without a value, which may stand together
VALUED = "WX"
LETTERS = frozenset("cm" + ALONE + VALUED)


def code_as_python(main: str) -> "types.CodeType | None":
    """What the arguments ask a Python for, with ``sys.argv`` as that would have it; None where they are the program's.

    They are Python's where this program has started the process, and they begin with an option of Python's or with a
    source that exists. Those that begin with the program's own script, ``main``, or its file, are the program's.
    """
    known = {sys.executable, os.environ.get("STATICX_PROG_PATH"), main}
    started = _started_by_itself()
    os.environ[MARK] = sys.executable
    first = sys.argv[1] if len(sys.argv) > 1 else ""
    if not started or not first:
        return None
    if first in known:
        del sys.argv[1]
        return None
    if first[0] == "-" and first[1:2] in LETTERS:
        return _asked_by_options(sys.argv[1:])
    return _script(sys.argv[1:]) if first.endswith(".py") and os.path.isfile(first) else None  # noqa: PTH113  # pathlib is large


def _started_by_itself() -> bool:
    if os.environ.get(MARK) == sys.executable:
        return True
    if os.path.dirname(sys._MEIPASS) != os.path.dirname(sys.executable):  # type: ignore[attr-defined]  # noqa: PTH120, SLF001
        return False  # a file that unpacks itself: its own bootloader has started this
    try:
        return os.readlink(f"/proc/{os.getppid()}/exe") == os.readlink("/proc/self/exe")  # noqa: PTH115
    except OSError:
        return False


def _asked_by_options(words: "list[str]") -> "types.CodeType":
    while words and words[0][:1] == "-" and words[0] != "-":
        letters = words.pop(0)[1:]
        while letters:
            letter, letters = letters[0], letters[1:]
            if letter in "cm" + VALUED:
                value = letters or (words.pop(0) if words else "")
                letters = ""
                if letter == "c":
                    return _string(value, words)
                if letter == "m":
                    return _module(value, words)
            elif letter not in ALONE:
                sys.exit(f"unknown option -{letter} of Python, which {sys.executable} stands for here")
    return _script(words) if words and words[0] != "-" else _input(words)


def _string(source: str, words: "list[str]") -> "types.CodeType":
    sys.argv[:] = ["-c", *words]
    return compile(source, "<string>", "exec")


def _module(name: str, words: "list[str]") -> "types.CodeType":
    sys.argv[:] = ["-m", *words]
    return compile(f"__import__('runpy')._run_module_as_main({name!r})", "<module>", "exec")


def _script(words: "list[str]") -> "types.CodeType":
    sys.argv[:] = words
    path = os.path.abspath(words[0])  # noqa: PTH100
    sys.path.insert(0, os.path.dirname(path))  # noqa: PTH120
    try:
        with open(path, "rb") as file:  # noqa: PTH123
            return compile(file.read(), path, "exec")
    except OSError as error:
        sys.exit(f"can't open file {path!r}: {error}")


def _input(words: "list[str]") -> "types.CodeType":
    sys.argv[:] = words or [""]
    return compile(sys.stdin.read(), "<stdin>", "exec")

"""The prompt in a container: Python, and what one wants to know there; run by the image's Python, or a toolbox's.

An image's Python may lack most of the standard library, so what isn't always there is imported where it is wanted.
"""

from __future__ import annotations

import os
import stat
import sys
import time

__all__ = ["cat", "find", "ls", "main", "ps", "run"]

_BANNER = """\
Python {version}{whose}.
ls("/etc")  cat("/etc/passwd")  find("*.so")  ps()  run("/program --help")  and whatever Python can do"""
_TOOLBOX = "/.cannery"
_LONGEST = 100  # characters of a command
_ELSEWHERE = ("/proc", "/sys", "/dev", _TOOLBOX)


def ls(path: str = ".") -> None:
    """List a folder: modes, owners, sizes, times, names."""
    names = sorted(os.listdir(path)) if os.path.isdir(path) else [path]
    for name in names:
        where = os.path.join(path, name)
        status = os.lstat(where)
        owner = f"{status.st_uid}:{status.st_gid}"
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(status.st_mtime))
        target = f" -> {os.readlink(where)}" if stat.S_ISLNK(status.st_mode) else ""
        print(f"{stat.filemode(status.st_mode)} {owner:>11} {status.st_size:>11} {when} {name}{target}")


def cat(path: str) -> None:
    """Show a file; of one that is no text, its bytes as Python writes them."""
    with open(path, "rb") as file:
        data = file.read()
    try:
        print(data.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        print(data)


def find(pattern: str = "*", path: str = "/") -> None:
    """List what has a name like ``pattern``, in which ``*`` is anything, below a folder of the image."""
    for folder, folders, files in os.walk(path):
        folders[:] = sorted(name for name in folders if os.path.join(folder, name) not in _ELSEWHERE)
        for name in sorted(folders + files):
            if _is_like(name, pattern):
                print(os.path.join(folder, name))


def _is_like(name: str, pattern: str) -> bool:
    first, *others = pattern.split("*")
    if not others:
        return name == pattern
    if not name.startswith(first):
        return False
    at = len(first)
    for part in others[:-1]:
        at = name.find(part, at)
        if at < 0:
            return False
        at += len(part)
    return name.endswith(others[-1]) and len(name) - len(others[-1]) >= at


def ps() -> None:
    """List the processes of the container: number, user, memory, command."""
    for number in sorted(int(name) for name in os.listdir("/proc") if name.isdigit()):
        try:
            command = _command(number)
            with open(f"/proc/{number}/statm", encoding="ascii") as file:
                memory = int(file.read().split()[1]) * os.sysconf("SC_PAGE_SIZE")
            print(f"{number:>7} {os.stat(f'/proc/{number}').st_uid:>6} {memory / 1e6:>8.1f} MB  {command}")
        except OSError:  # it has ended meanwhile
            continue


def _command(number: int) -> str:
    """What a process was started with, in one line; of one that tells nothing, its name."""
    with open(f"/proc/{number}/cmdline", "rb") as file:
        words = file.read().replace(b"\0", b" ").decode(errors="replace").split("\n")[0].strip()
    if words:
        return words if len(words) <= _LONGEST else f"{words[: _LONGEST - 1]}…"
    with open(f"/proc/{number}/comm", encoding="utf-8", errors="replace") as file:
        return f"[{file.read().strip()}]"


def run(command: str) -> int:
    """Run a program of the image, and return its exit code; arguments with blanks stand in quotation marks."""
    words = _words(command)
    return os.waitstatus_to_exitcode(os.waitpid(os.posix_spawnp(words[0], words, os.environ), 0)[1])


def _words(command: str) -> list[str]:
    try:
        import shlex
    except ImportError:  # of an image that holds no more than its program imports
        return command.split()
    return shlex.split(command)


def main() -> None:
    """Give the prompt, or run what is piped in."""
    names = {"__name__": "__main__", "cat": cat, "find": find, "ls": ls, "ps": ps, "run": run}
    if not sys.stdin.isatty():
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)  # noqa: S102  # that is what a prompt is for
        return
    whose = f" of a toolbox in {_TOOLBOX}; all else is the image's own" if sys.prefix.startswith(_TOOLBOX) else ""
    banner = _BANNER.format(version=sys.version.split()[0], whose=whose)
    try:
        import readline  # noqa: F401  # so that lines can be edited, where there is one
    except ImportError:
        print("(lines can't be edited here: the image has no readline)")
    try:
        import code
    except ImportError:
        print(banner)
        globals().update(names)
        os.environ["PYTHONINSPECT"] = "1"  # python(1): a prompt of Python's own, once this has ended
    else:
        code.interact(banner, local=names, exitmsg="")


if __name__ == "__main__":
    main()

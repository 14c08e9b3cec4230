"""The toolbox's prompt: Python, and what one wants to know of a container; run inside it, by the toolbox's Python."""

from __future__ import annotations

import code
import shlex
import stat
import subprocess
import sys
import time
from pathlib import Path

__all__ = ["cat", "find", "ls", "run"]

_BANNER = """\
Python {version} of a toolbox in /.cannery; all else is the image's own.
ls("/etc")  cat("/etc/passwd")  find("*.so")  run("/program --help")  and whatever Python can do"""
_ELSEWHERE = ("/proc", "/sys", "/dev", "/.cannery")


def ls(path: str = ".") -> None:
    """List a folder: modes, owners, sizes, times, names."""
    given = Path(path)
    for each in sorted(given.iterdir()) if given.is_dir() else [given]:
        status = each.lstat()
        owner = f"{status.st_uid}:{status.st_gid}"
        when = time.strftime("%Y-%m-%d %H:%M", time.gmtime(status.st_mtime))
        target = f" -> {each.readlink()}" if each.is_symlink() else ""
        print(f"{stat.filemode(status.st_mode)} {owner:>11} {status.st_size:>11} {when} {each.name}{target}")


def cat(path: str) -> None:
    """Show a file; of one that is no text, its bytes as Python writes them."""
    data = Path(path).read_bytes()
    try:
        print(data.decode().removesuffix("\n"))
    except UnicodeDecodeError:
        print(data)


def find(pattern: str = "*", path: str = "/") -> None:
    """List what has a name like ``pattern`` below a folder of the image."""
    for each in sorted(Path(path).rglob(pattern)):
        if not each.as_posix().startswith(_ELSEWHERE):
            print(each)


def run(command: str) -> int:
    """Run a program of the image, and return its exit code."""
    return subprocess.run(shlex.split(command), check=False).returncode  # noqa: S603  # who types it may run it


def main() -> None:
    """Give the prompt, or run what is piped in."""
    names = {"__name__": "__main__", "Path": Path, "cat": cat, "find": find, "ls": ls, "run": run}
    if sys.stdin.isatty():
        code.interact(_BANNER.format(version=sys.version.split()[0]), local=names, exitmsg="")
    else:
        exec(compile(sys.stdin.read(), "<stdin>", "exec"), names)  # noqa: S102  # that is what a prompt is for


if __name__ == "__main__":
    main()

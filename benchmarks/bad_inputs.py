"""Try inputs that are wrong in 600 ways, and print a table of how each ended: ``python -m benchmarks.bad_inputs``.

Each ends with an image, or with one message and an exit code of its own; never with a traceback, a wait, or a file
outside the project. The exit code is 1 where one doesn't.
"""

from __future__ import annotations

import argparse
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Final

import msgspec

from cannery.project.settings import Settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

__all__ = ["BadInput", "bad_inputs", "main", "tried"]

_ENOUGH: Final = 60  # seconds, after which a command is taken to hang
_REFUSALS: Final = range(2, 13)  # exit codes of errors that say what to do
_HELLO: Final = {"main.py": "import json\nprint(json)\n", "pyproject.toml": '[project]\nname = "odd"\nversion = "1"\n'}
_DEEP: Final = "[" * 100_000

# What a file may be, beside what its reader expects
_CONTENTS: Final[Mapping[str, Callable[[Path], object]]] = {
    "empty": lambda path: path.write_bytes(b""),
    "NUL": lambda path: path.write_bytes(b"\0" * 100),
    "no UTF-8": lambda path: path.write_bytes(b"name = '\xff\xfe'\n"),
    "a mark and CRLF": lambda path: path.write_bytes("\ufeffa: b\r\nc = 1\r\n".encode()),
    "brackets": lambda path: path.write_text(f"a = {_DEEP}\n"),
    "JSON": lambda path: path.write_text('{"a": [null, {}]}'),
    "deep JSON": lambda path: path.write_text(_DEEP),
    "a list": lambda path: path.write_text("[]"),
    "control characters": lambda path: path.write_text("\x1b[2J\x1b]0;x\x07 = \u202e\n"),
    "one long line": lambda path: path.write_text("x" * 5_000_000),
    "many lines": lambda path: path.write_text("a\n" * 200_000),
    "a folder": Path.mkdir,
    "a FIFO": os.mkfifo,
    "a socket": lambda path: _bind(path),  # noqa: PLW0108  # it's defined below
    "a link to itself": lambda path: path.symlink_to(path.name),
    "a link to nothing": lambda path: path.symlink_to("nowhere"),
    "a link to a device": lambda path: path.symlink_to("/dev/zero"),
    "a link outside": lambda path: path.symlink_to("/etc/passwd"),
}
_FILES: Final = (
    *("pyproject.toml", "main.py", "requirements.txt", "requirements.in", "uv.lock", "poetry.lock", "pylock.toml"),
    *("Pipfile", "Pipfile.lock", "pdm.lock", "environment.yml", "setup.cfg", "setup.py", "Procfile", "Dockerfile"),
    *(".python-version", "uv.toml", "helper.py"),
)
# Values of settings, in TOML
_VALUES: Final = ('"\\u0000"', '""', '"../../x"', "-1", "true", "[[[]]]", "{ a = { b = [] } }", '"\\u001b[2J"', "1e400")
_VARIABLES: Final = ("", "\x1b[2J", "/nowhere/at/all", "-1", "a" * 100_000)
_COMMANDS: Final = (
    *(
        ("image", flag, value)
        for flag in ("--tag", "--output", "--python", "--recipe", "--base")
        for value in _VARIABLES[1:]
    ),
    *(("audit", "--image", value) for value in ("", "/etc/passwd", "oci:/nowhere", "\x1b[2J", "a" * 5000)),
    *(("prune", "--keep", value) for value in ("much", "-1", "\x1b[2J")),
    *(("run", "--command", value) for value in ("", "nothing", "\x1b[2J")),
)


@dataclass(frozen=True)
class BadInput:
    """A project with something odd, and the command that meets it."""

    name: str
    make: Callable[[Path], object] = lambda _: None
    command: tuple[str, ...] = ("image", "--json")
    env: Mapping[str, str] = field(default_factory=dict)


def bad_inputs() -> Iterator[BadInput]:
    """All of them."""
    for name in _FILES:
        for what, write in _CONTENTS.items():
            yield BadInput(f"{name}: {what}", partial(_replaced, name, write))
    for each in msgspec.structs.fields(Settings):
        for value in _VALUES:
            text = f"{_HELLO['pyproject.toml']}[tool.cannery]\n{each.encode_name} = {value}\n"
            yield BadInput(f"{each.encode_name} = {value}", partial(_write, text))
    for variable in (
        "CANNERY_CACHE",
        "CANNERY_KIT",
        "CANNERY_TAG",
        "HOME",
        "TMPDIR",
        "SOURCE_DATE_EPOCH",
        "DOCKER_HOST",
    ):
        for value in _VARIABLES[: 4 if variable in {"CANNERY_CACHE", "TMPDIR"} else None]:
            yield BadInput(f"{variable}={value[:20]!r}", env={variable: value})
    for command in _COMMANDS:
        yield BadInput(" ".join(command)[:60], command=command)


def tried(each: BadInput, home: Path, cache: Path) -> str:
    """How a bad input ends: ``image``, ``refused``, or what was wrong with it."""
    folder, outside = home / "project", home / "outside"
    folder.mkdir(parents=True)
    outside.mkdir()
    for name, text in _HELLO.items():
        (folder / name).write_text(text)
    (outside / "precious").write_text("as it was")
    each.make(folder)
    env = {**os.environ, "CANNERY_CACHE": str(cache), "CANNERY_ENGINE": "none", "UV_OFFLINE": "1", **each.env}
    process = subprocess.Popen(  # noqa: S603
        [sys.executable, "-m", "cannery", *each.command],
        cwd=folder,
        env=env,
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        process_group=0,
    )
    try:
        _, written = process.communicate(timeout=_ENOUGH)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, signal.SIGKILL)
        process.communicate()
        return "it waits"
    left = sorted(path.name for path in home.iterdir()) != ["outside", "project"] or [*outside.iterdir()] != [
        outside / "precious"
    ]
    return "it wrote outside" if left else _ending(process.returncode, written.decode(errors="replace"))


def _ending(code: int, said: str) -> str:
    if "Traceback (most recent call last)" in said:
        return f"a traceback: {said.strip().splitlines()[-1][:100]}"
    if re.search(r"[\x00-\x08\x0b-\x1f\x7f]", said):
        return "control characters"
    if code == 0:
        return "image"
    if code not in _REFUSALS or said.count("error: ") < 1 or "\nNext: " not in said:
        return f"exit code {code}: {said.strip()[-100:]!r}"
    return "refused"


def _replaced(name: str, write: Callable[[Path], object], folder: Path) -> None:
    (folder / name).unlink(missing_ok=True)
    write(folder / name)


def _write(text: str, folder: Path) -> None:
    (folder / "pyproject.toml").write_text(text)


def _bind(path: Path) -> None:
    here = Path.cwd()
    os.chdir(path.parent)  # the path of a socket may be short only
    try:
        with socket.socket(socket.AF_UNIX) as listening:
            listening.bind(path.name)
    finally:
        os.chdir(here)


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a regular expression for the names of those to try")
    options = parser.parse_args()
    chosen = [each for each in bad_inputs() if re.search(options.only, each.name)]
    ends: Counter[str] = Counter()
    with tempfile.TemporaryDirectory() as name:
        for number, each in enumerate(chosen, 1):
            end = tried(each, Path(name, "home"), Path(name, "cache"))
            ends[end if end in {"image", "refused"} else "bad"] += 1
            print(f"| {number} | `{each.name}` | {end} |", flush=True)
            with suppress(OSError):
                shutil.rmtree(Path(name, "home"))
    print(f"\n{len(chosen)} inputs: " + ", ".join(f"{count} {end}" for end, count in sorted(ends.items())))
    sys.exit(1 if ends["bad"] else 0)


if __name__ == "__main__":
    main()

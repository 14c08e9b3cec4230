"""A page of the guide as a program: the files that it shows are written, its commands run, its output is compared.

What is a block for is said by a comment above it, which no reader sees:

``<!-- file: PATH -->``
    the reader's file, written before the next command
``<!-- run -->``
    commands for a shell; ``<!-- run: fails N -->`` if they end with the exit code N, and ``<!-- run: until :8000 -->``
    if they go on, and answer there first; ``<!-- stop -->`` ends them, as the reader does by Ctrl-C
``<!-- prints -->``
    what the commands before print, as far as it doesn't differ from day to day: numbers, digests and times may

``python -m docs.making.page PAGE`` runs a page and writes into it what its commands print today.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["Block", "Reader", "blocks", "differences", "is_run"]

_BLOCK: Final = re.compile(
    r"^(?P<indent> *)<!-- (?P<kind>file|run|prints)(?:: (?P<argument>[^\n]*?))? -->\n\n"
    r"(?P=indent)(?P<fence>`{3,})(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)(?P=fence)$"
    r"|^<!-- (?P<end>stop) -->$",
    re.DOTALL | re.MULTILINE,
)
_PROGRAMS: Final = ("cannery", "invoke", "nox", "uv", "uvx")  # that a reader has, from where Python runs
_OWN: Final = ("CANNERY_", "COLUMNS", "NOX_", "PYTEST_", "PYTHON", "VIRTUAL_ENV", "XDG_")
_PROGRESS: Final = re.compile(r"^.* …\n", re.MULTILINE)  # a terminal shows it for as long as it lasts
_ENOUGH: Final = 300  # seconds
_CHANGING: Final = (
    (r"sha256:(?:[0-9a-f]+|…)", "DIGEST"),
    (r"\b[0-9a-f]{12,64}\b", "DIGEST"),
    (r"(/[\w.+-]+)+/(?=home\b|work\b)", "/"),
    (r"\d[\d.,]*(?: ?(?:kB|MB|GB|B|bytes)\b)?", "N"),
    (r"(linux/)\w+", r"\1MACHINE"),
    (r"N?[+-]?deb\w+", "N"),
    (r"as before$|packed$", ""),  # by what the cache has
    (r"is there$|sent(, N/s)?$", ""),  # and the registry
    (r"[─ ]+", " "),
)


@dataclass(frozen=True)
class Block:
    """A block of a page that means something to who runs it."""

    kind: str  # file, run, prints or stop
    argument: str
    text: str
    span: tuple[int, int]  # of the text, in the page


def blocks(page: str) -> list[Block]:
    """The blocks of the text ``page`` that its comments mark, in their order."""
    return [
        Block(
            found["kind"] or found["end"],
            found["argument"] or "",
            _outdented(found["text"] or "", found["indent"] or ""),
            found.span("text"),
        )
        for found in _BLOCK.finditer(page)
    ]


def _outdented(text: str, indent: str) -> str:
    return "".join(line.removeprefix(indent) for line in text.splitlines(keepends=True))


def is_run(page: str) -> bool:
    """Whether the page has commands that are run."""
    return any(block.kind == "run" for block in blocks(page))


def differences(shown: str, printed: str) -> list[str]:
    """The lines that a page shows and that were not printed, in this order.

    A line of ``…`` stands for any lines, and ``…`` at the end of one for any rest.
    """
    lines = iter([_lasting(line) for line in printed.splitlines()])
    wanted = [line for line in shown.splitlines() if line.strip() not in {"", "…"}]
    return [line for line in wanted if not any(_is_like(_lasting(line), each) for each in lines)]


def _is_like(shown: str, printed: str) -> bool:
    return printed.startswith(shown[:-1].strip()) if shown.endswith("…") else printed == shown


def _lasting(line: str) -> str:
    """What of a line is the same on another day."""
    for pattern, instead in _CHANGING:
        line = re.sub(pattern, instead, line)
    return line.strip()


@dataclass
class Reader:
    """Somebody with an empty home and an empty folder, who does what a page says."""

    home: Path
    folder: Path
    words: Mapping[str, str] = field(default_factory=dict)  # what a reader puts in place of words of the page
    variables: Mapping[str, str] = field(default_factory=dict)
    _running: list[subprocess.Popen[bytes]] = field(default_factory=list)

    def __enter__(self) -> Self:
        programs = self.home / "bin"
        programs.mkdir(parents=True)
        for name in _PROGRAMS:
            (programs / name).symlink_to(Path(sys.executable).with_name(name))
        self.folder.mkdir(exist_ok=True)
        return self

    def __exit__(self, *_: object) -> None:
        self._stop()

    def _stop(self) -> None:
        while self._running:
            process = self._running.pop()
            os.killpg(process.pid, signal.SIGINT)
            process.wait(timeout=30)

    def follow(self, page: str) -> Iterator[tuple[Block, str]]:
        """Do what the page says; gives each ``prints`` block with what was printed."""
        printed = ""
        for block in blocks(page):
            if block.kind == "file":
                path = self.folder / block.argument
                path.parent.mkdir(parents=True, exist_ok=True)
                path.write_text(block.text, encoding="utf-8")
            elif block.kind == "run":
                printed = self._run(block)
            elif block.kind == "stop":
                self._stop()
            else:
                yield block, printed

    def _run(self, block: Block) -> str:
        text = block.text
        for word, instead in self.words.items():
            text = text.replace(word, instead)
        how, _, argument = block.argument.partition(" ")
        if how == "until":
            return self._start(text, int(argument.removeprefix(":")))
        where = self.home / "folder"
        done = subprocess.run(
            ["bash", "-euo", "pipefail", "-c", f"trap 'pwd >{where}' EXIT\n{text}"],
            cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, timeout=_ENOUGH, check=False,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
        )  # fmt: skip
        printed = _PROGRESS.sub("", done.stdout.decode(errors="backslashreplace"))
        code = int(argument or 0)
        if done.returncode != code:
            raise AssertionError(f"ended with {done.returncode}, not {code}:\n{text}\n{printed}")
        self.folder = Path(where.read_text(encoding="utf-8").strip())
        return printed

    def _start(self, text: str, port: int) -> str:
        with tempfile.TemporaryFile() as output:
            process = subprocess.Popen(
                ["bash", "-euo", "pipefail", "-c", f"exec {text}"],
                cwd=self.folder, env=self._environment(), stdin=subprocess.DEVNULL, process_group=0,
                stdout=output, stderr=subprocess.STDOUT,
            )  # fmt: skip
            self._running.append(process)
            for _ in range(_ENOUGH * 5):
                if process.poll() is not None or _answers(port):
                    break
                time.sleep(0.2)
            output.seek(0)
            printed = output.read().decode(errors="backslashreplace")
        if process.poll() is not None:
            raise AssertionError(f"ended with {process.returncode} and should go on:\n{text}\n{printed}")
        return printed

    def _environment(self) -> dict[str, str]:
        """What the machine sets for everybody, such as proxies and certificates, and nothing of this user's own."""
        theirs = {name: value for name, value in os.environ.items() if not name.startswith(_OWN)}
        others = f"{os.environ.get('JUDGES') or '/nonexistent'}/usr/bin"  # programs that judge what is pushed
        path = f"{self.home}/bin:{self.home}/.local/bin:{others}:/usr/local/bin:/usr/bin:/bin"
        return {**theirs, "PATH": path, "HOME": str(self.home), "LANG": "C.UTF-8", **self.variables}


def _answers(port: int) -> bool:
    with socket.socket() as asked:
        asked.settimeout(1)
        return asked.connect_ex(("127.0.0.1", port)) == 0


def _written(page: str, printed: list[tuple[Block, str]]) -> str:
    """The page with what its commands printed; a block that ends or begins with ``…`` keeps its choice of lines."""
    for block, output in reversed(printed):
        if "…" not in block.text.splitlines():
            page = page[: block.span[0]] + output.rstrip() + "\n" + page[block.span[1] :]
    return page


def _main(path: str) -> None:
    page = Path(path)
    text = page.read_text(encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    words = {"path/to/cannery": str(Path(__file__).parents[2])}
    kept = {name: value for name, value in os.environ.items() if name.startswith(("CANNERY_", "UV_"))}
    try:
        with Reader(folder / "home", folder / "work", words, kept) as reader:
            page.write_text(_written(text, list(reader.follow(text))), encoding="utf-8")
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    _main(*sys.argv[1:])

"""The command as a user types it, and what is expected of it whatever goes wrong."""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import sys
import tarfile
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from cannery import __version__

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

__all__ = [
    "COMMAND",
    "Outcome",
    "assert_refused",
    "assert_whole",
    "cannery",
    "environment",
    "finished",
    "image_digest",
    "read_until",
    "started",
]

COMMAND = (sys.executable, "-m", "cannery")
_ENOUGH = 120  # seconds, after which a command is taken to hang


@dataclass(frozen=True)
class Outcome:
    """How a command ended, and what it said."""

    code: int
    stdout: str
    stderr: str

    @property
    def report(self) -> Any:
        """What ``--json`` printed."""
        assert self.code == 0, self.stderr
        return json.loads(self.stdout)


def environment(changes: Mapping[str, str | None]) -> dict[str, str]:
    """The environment of the tests with ``changes``; None takes a variable away."""
    return {name: value for name, value in {**os.environ, **changes}.items() if value is not None}


def finished(command: Sequence[str], **options: Any) -> Outcome:
    """Run ``command`` to its end; ``options`` are those of :class:`subprocess.Popen`."""
    options = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.PIPE, **options}
    done = subprocess.run(command, timeout=_ENOUGH, check=False, **options)
    stdout, stderr = ((written or b"").decode(errors="backslashreplace") for written in (done.stdout, done.stderr))
    return Outcome(done.returncode, stdout, stderr)


def cannery(*arguments: str, cwd: Path, **changes: str | None) -> Outcome:
    """Run ``cannery ARGUMENTS`` in the folder ``cwd``; ``changes`` are made to the environment."""
    return finished([*COMMAND, *arguments], cwd=cwd, env=environment(changes))


def started(project: Path, *flags: str, **changes: str | None) -> subprocess.Popen[str]:
    """Start a build as the leader of a process group of its own; ``changes`` are made to the environment."""
    return subprocess.Popen(
        [*COMMAND, "image", *flags],
        cwd=project,
        env=environment(changes),
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        process_group=0,
    )


def read_until(process: subprocess.Popen[str], step: str) -> None:
    """Read a build's progress up to the line of ``step``."""
    assert process.stderr is not None
    lines = []
    while line := process.stderr.readline():
        lines.append(line)
        if line.startswith(step):
            return
    raise AssertionError(f"the build ended before {step!r}: {lines}")


def image_digest(project: Path, **changes: str | None) -> str:
    """Build the image, which must succeed, and return its digest."""
    return str(cannery("image", "--json", cwd=project, **changes).report["digest"])


def assert_refused(outcome: Outcome, code: int) -> str:
    """One message that ends in the next step, an exit code that isn't 0, and nothing else; returns the message."""
    assert outcome.code == code, outcome
    assert outcome.stdout == ""
    before, mark, message = outcome.stderr.partition("error: ")
    assert mark, outcome
    assert all(line.endswith(" …") for line in before.splitlines()), "more than progress comes before the message"
    assert "Traceback" not in message
    assert message.splitlines()[-1].startswith("Next: "), message
    return message


def assert_whole(project: Path, cache: Path | None = None) -> None:
    """Nothing half-written: whole archives in ``dist``, a cache that is right, and no temporary file in either."""
    dist = project / "dist"
    for path in dist.iterdir() if dist.is_dir() else ():
        assert path.suffix == ".tar", f"{path} was left behind"
        _assert_whole_archive(path)
    if cache is not None:
        _assert_whole_cache(cache / __version__)


def _assert_whole_archive(path: Path) -> None:
    with tarfile.open(path) as archive:
        names = archive.getnames()
        assert {"index.json", "manifest.json", "oci-layout"} <= set(names)
        for name in names:
            stream = archive.extractfile(name)
            if name.startswith("blobs/sha256/") and stream is not None:
                assert hashlib.sha256(stream.read()).hexdigest() == name.removeprefix("blobs/sha256/")


def _assert_whole_cache(root: Path) -> None:
    for path in (path for path in root.rglob("*") if path.is_file()):
        match path.relative_to(root).parts:
            case ("blobs", "sha256", digest):
                assert hashlib.sha256(path.read_bytes()).hexdigest() == digest
            case ("bytecode", _, name):
                key, _, digest = (name, "", "") if path.is_symlink() else name.rpartition(".")
                assert len(key.removesuffix(".smaller")) == 64, f"{path} was left behind"
                data = (
                    b"" if path.is_symlink() else path.read_bytes()
                )  # what a crash left empty is made anew when needed
                assert not data or hashlib.sha256(data).hexdigest() == digest
            case ("locks", _) | ("dependencies", _, _, *_):
                pass
            case (_, name):
                assert name.endswith(".record"), f"{path} was left behind"
                assert not name.startswith("."), f"{path} was left behind"
            case _:
                raise AssertionError(f"{path} was left behind")
    assert not list((root / "tmp").glob("*")), "temporary folders were left behind"

"""A workspace of services that share wheels, pushed as a whole: what a change costs.

``python -m benchmarks.members localhost:5000`` makes a hundred services and pushes them to a registry, which should be
empty; it prints a table for docs/publishing.md. The wheels are made here, so nothing is fetched.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import os
import random
import subprocess
import sys
import tempfile
import time
import zipfile
from dataclasses import dataclass
from pathlib import Path
from statistics import median
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

_WHEELS, _SERVICES = 30, 100
_SIZES: Final = (20_000, 200_000, 2_000_000)  # bytes of the data in a wheel
_COMMON: Final = "shared00"  # every service requires it
_ROOT: Final = """\
[tool.uv.workspace]
members = ["services/*"]
[tool.uv]
find-links = ["wheels"]
"""
_SERVICE: Final = """\
[project]
name = "{name}"
version = "1.0"
dependencies = {requirements}
[project.scripts]
{name} = "{name}:main"
"""


@dataclass(frozen=True)
class Pushed:
    """What one push of all took, and did."""

    seconds: float
    packed: int  # layers
    blobs: int  # that were sent
    size: int  # bytes of these
    twice: int  # of the blobs, how many were sent more than once

    @property
    def row(self) -> str:
        """Two cells of a table: what was packed, and what was sent."""
        sent = f"{self.size / 1e3:,.1f} kB"
        again = f"{self.twice} of them twice" if self.twice else "none twice"
        return f"{self.packed} layers | {f'{sent}, {self.blobs} blobs, {again}' if self.blobs else 'nothing'}"


def _write_wheel(folder: Path, name: str, version: str, data: bytes) -> None:
    """Write a wheel of one package with some data (packaging.python.org, binary distribution format)."""
    about = f"{name}-{version}.dist-info"
    files = {
        f"{name}/__init__.py": f"VERSION = {version!r}\n".encode(),
        f"{name}/data.bin": data,
        f"{about}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nGenerator: benchmarks\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},sha256={_hash(content)},{len(content)}\n" for path, content in files.items())
    with zipfile.ZipFile(folder / f"{name}-{version}-py3-none-any.whl", "w") as wheel:
        for path, content in {**files, f"{about}/RECORD": f"{record}{about}/RECORD,,\n".encode()}.items():
            wheel.writestr(path, content)


def _hash(content: bytes) -> str:
    return base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()


def _make(top: Path, services: int) -> None:
    """Make the workspace in the folder ``top``; it's the same each time."""
    drawn = random.Random(1)  # noqa: S311  # the same each time
    (top / "wheels").mkdir(parents=True)
    for number in range(_WHEELS):
        _write_wheel(top / "wheels", f"shared{number:02}", "1.0", drawn.randbytes(drawn.choice(_SIZES)))
    (top / "pyproject.toml").write_text(_ROOT, encoding="utf-8")
    for number in range(services):
        name = f"service{number:03}"
        wanted = sorted({_COMMON, *(f"shared{drawn.randrange(_WHEELS):02}" for _ in range(drawn.randint(1, 4)))})
        package = top / "services" / name / name
        package.mkdir(parents=True)
        imports = "".join(f"import {each}\n" for each in wanted)
        (package / "__init__.py").write_text(f"{imports}\ndef main() -> None:\n    print({name!r})\n", encoding="utf-8")
        text = _SERVICE.format(name=name, requirements=json.dumps(wanted))
        (package.parent / "pyproject.toml").write_text(text, encoding="utf-8")


def _push(top: Path, registry: str, *flags: str) -> Pushed:
    words = [sys.executable, "-m", "cannery", "push", "--all", "--json", "--registry", f"{registry}/team", *flags]
    env = {**os.environ, "CANNERY_CACHE": str(top.parent / "cache")}
    began = time.perf_counter()
    done = subprocess.run(words, cwd=top, env=env, stdout=subprocess.PIPE, text=True, check=True)  # noqa: S603
    seconds = time.perf_counter() - began
    members: dict[str, Any] = json.loads(done.stdout)["members"]
    sent = [
        blob
        for member in members.values()
        for pushed in member["pushed"]
        for blob in pushed["blobs"]
        if blob["state"] == "sent"
    ]
    twice = len(sent) - len({blob["digest"] for blob in sent})
    packed = sum(len(member["packed"]) for member in members.values())
    return Pushed(seconds, packed, len(sent), sum(blob["size"] for blob in sent), twice)


def _measured(top: Path, registry: str, services: int) -> Iterator[tuple[str, str, Pushed]]:
    """What was done, the seconds that it took, and what came of it."""
    first = _push(top, registry)
    yield "the first push", f"{first.seconds:.0f} s", first
    runs = [_push(top, registry) for _ in range(5)]
    least, most = min(run.seconds for run in runs), max(run.seconds for run in runs)
    yield "unchanged", f"{median(run.seconds for run in runs):.1f} s ({least:.1f} to {most:.1f})", runs[-1]
    module = top / "services" / f"service{services // 2:03}" / f"service{services // 2:03}" / "__init__.py"
    module.write_text(f"{module.read_text(encoding='utf-8')}\nCHANGED = True\n", encoding="utf-8")
    one = _push(top, registry)
    yield "one line of one", f"{one.seconds:.1f} s", one
    _write_wheel(top / "wheels", _COMMON, "1.1", bytes(_SIZES[1]))
    every = _push(top, registry, "--refresh")
    yield "one wheel of all", f"{every.seconds:.0f} s", every


def _main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("registry", help="where to push to: localhost:5000")
    parser.add_argument("--services", type=int, default=_SERVICES, help="how many there are (%(default)s)")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        top = Path(folder, "workspace")
        _make(top, options.services)
        sys.stdout.write("| | took | packed | sent |\n|---|---|---|---|\n")
        for what, took, pushed in _measured(top, options.registry, options.services):
            sys.stdout.write(f"| {what} | {took} | {pushed.row} |\n")
            sys.stdout.flush()


if __name__ == "__main__":
    _main()

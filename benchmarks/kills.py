"""Kill builds at random moments, and see that the next one is right: ``python -m benchmarks.kills``.

Each time parts of the cache are missing, so that there is something to do; the build and all that it has started get
SIGKILL. The next build has to give the digest of an undisturbed one, and leave nothing in ``dist`` and in the cache's
temporary folder. The exit code is 1 where one doesn't.

With ``--registry 127.0.0.1:5000`` pushes to new repositories there are killed as well: what a tag leads to has to be
whole then, and the next push brings the same image.
"""

from __future__ import annotations

import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from cannery import __version__
from cannery.image.media.pull import pull
from cannery.image.media.registry import Registry
from cannery.image.platform import machine_platform
from cannery.workspace.cache import Cache
from cannery.workspace.digest import Digest

__all__ = ["Victim", "main"]

_RECIPES: Final = ("scratch", "tiny", "compiled", "onefile", "static")  # slim takes a base: --base
_FORGOTTEN: Final = ("layers", "blobs", "bytecode", "extensions", "dependencies", "executables", "bundles", "programs")
_PROJECT: Final = {
    "main.py": "import json\n\nfrom helper import answer\n\nprint(json.dumps(answer()))\n",
    "helper.py": "def answer():\n    return {'a': 42}\n",
    "pyproject.toml": '[project]\nname = "victim"\nversion = "1"\n',
}


@dataclass(frozen=True)
class Victim:
    """A project whose builds are killed, by one recipe."""

    folder: Path
    cache: Path
    flags: tuple[str, ...]
    env: dict[str, str]

    def start(self, *command: str) -> subprocess.Popen[bytes]:
        """Start a command as the leader of a process group of its own."""
        return subprocess.Popen(  # noqa: S603
            [sys.executable, "-m", "cannery", *command, *self.flags],
            cwd=self.folder,
            env={**os.environ, "CANNERY_CACHE": str(self.cache), "CANNERY_ENGINE": "none", **self.env},
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            process_group=0,
        )

    def digest(self, command: str = "image", repository: str = "") -> str:
        """The digest of a build, or a push, that isn't disturbed; what it said where it fails."""
        self.env["CANNERY_REPOSITORY"] = repository
        process = self.start(command, "--json")
        written, said = process.communicate()
        return str(json.loads(written)["digest"]) if process.returncode == 0 else said.decode(errors="replace")[-500:]

    def forget(self, chance: random.Random) -> None:
        """Take some of what builds have left away."""
        shutil.rmtree(self.folder / "dist", ignore_errors=True)
        for kind in _FORGOTTEN:
            if chance.random() < 0.6:  # noqa: PLR2004  # a little more than half of them
                shutil.rmtree(self.cache / __version__ / kind, ignore_errors=True)

    def kill(self, chance: random.Random, longest: float, *commands: tuple[str, ...]) -> None:
        """Start a build, a run or what is given, and kill it with all that it has started after a while."""
        process = self.start(*chance.choice(commands or [("image", "--json"), ("image", "--json"), ("run",)]))
        with suppress(subprocess.TimeoutExpired):
            process.communicate(timeout=chance.uniform(0.05, longest))
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGKILL)
        process.communicate()

    def left_behind(self) -> list[str]:
        """What lies about that shouldn't, once a build has ended."""
        dist = [path.name for path in (self.folder / "dist").iterdir() if path.suffix != ".tar"]
        scratch = self.cache / __version__ / "tmp"
        return dist + [path.name for path in (scratch.iterdir() if scratch.is_dir() else ())]


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=80, help="how many for each recipe")
    parser.add_argument("--recipes", default=",".join(_RECIPES))
    parser.add_argument("--base", help="the base of slim and cython")
    parser.add_argument("--registry", help="a registry to push to, too")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    chance, bad = random.Random(options.seed), 0  # noqa: S311  # to be told again
    for recipe in filter(None, options.recipes.split(",")):
        with tempfile.TemporaryDirectory() as name:
            base = ("--base", options.base) if options.base and recipe in {"slim", "cython"} else ()
            flags, env = ("--recipe", recipe, *base), dict[str, str]()
            if recipe == "compiled":
                flags, env = ("--recipe", "scratch"), {"CANNERY_COMPILE": "true"}
            victim = Victim(Path(name, "victim"), Path(name, "cache"), flags, env)
            bad += _killed(_written(victim), recipe, options.kills, chance)
    if options.registry:
        with tempfile.TemporaryDirectory() as name:
            victim = Victim(Path(name, "victim"), Path(name, "cache"), ("--recipe", "scratch"), {})
            bad += _killed_pushes(_written(victim), options.registry, options.kills, chance)
    sys.exit(1 if bad else 0)


def _written(victim: Victim) -> Victim:
    """``victim``, whose project is there."""
    victim.folder.mkdir()
    for file, text in _PROJECT.items():
        (victim.folder / file).write_text(text)
    return victim


def _killed_pushes(victim: Victim, registry: str, kills: int, chance: random.Random) -> int:
    """Kill pushes of ``victim`` to ``registry``; returns after how many something wasn't right."""
    expected, bad, there = victim.digest("push", f"{registry}/victim/0"), 0, 0
    began = time.monotonic()
    victim.digest("push", f"{registry}/victim/1")
    longest = time.monotonic() - began
    for number in range(2, kills + 2):
        place = f"{registry}/victim/{number}"
        victim.env["CANNERY_REPOSITORY"] = place
        victim.kill(chance, longest, ("push", "--json"))
        found = [_pulled(place)]
        there += found[0] is not None
        found += [victim.digest("push", place), _pulled(place)]
        if found[0] not in {None, expected} or found[1:] != [expected, expected]:
            bad += 1
            print(f"push, kill {number}: {found}", flush=True)
    print(f"| push | {kills} kills, {there} of them once it was there | {kills - bad} next pushes right |", flush=True)
    return bad


def _pulled(place: str) -> str | None:
    """The digest of the image at ``place``, each blob of which was fetched and compared; None where there is none."""
    with tempfile.TemporaryDirectory() as folder, Registry(f"{place}:latest") as registry:
        if (manifest := registry.found()) is None:
            return None
        pull(registry, machine_platform(), Cache(Path(folder)))
        return str(Digest.of(manifest))


def _killed(victim: Victim, recipe: str, kills: int, chance: random.Random) -> int:
    """Kill builds of ``victim``; returns after how many the next one wasn't right."""
    began, expected = time.monotonic(), victim.digest()
    longest, bad = time.monotonic() - began, 0
    for number in range(1, kills + 1):
        victim.forget(chance)
        victim.kill(chance, longest)
        found = victim.digest()
        if found != expected or (left := victim.left_behind()):
            bad += 1
            print(f"{recipe}, kill {number}: {found if found != expected else left}", flush=True)
    print(f"| {recipe} | {kills} kills | {kills - bad} next builds right |", flush=True)
    return bad


if __name__ == "__main__":
    main()

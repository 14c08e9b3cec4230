"""The tables of docs/compare.md: ``invoke compare`` of the sample and of the examples."""

from __future__ import annotations

import argparse
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import NamedTuple

from benchmarks.figures import between_markers, with_part
from benchmarks.projects import REPOSITORY, sample

_BEGIN, _END = "<!-- comparisons: made by python -m benchmarks.compare -->", "<!-- end of comparisons -->"


class _Compared(NamedTuple):
    project: str  # below the repository; empty for the sample
    probe: str
    peers: str = ""


_COMPARED = {
    "sample": _Compared("", "show-deps"),
    "greeter": _Compared("examples/greeter", "hello", "all"),
    "random_api": _Compared("examples/random_api", "http://:8000/number", "all"),
    "demo_server": _Compared("examples/demo_server", "http://:8000/"),
}


def main() -> None:
    """Compare, and write the tables into the document."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("--write", type=Path, required=True, metavar="FILE", help="the Markdown file with the markers")
    parser.add_argument("--only", action="append", choices=_COMPARED, help="compare this; may be given again")
    parser.add_argument("--recipes", default="scratch,tiny,onefile,static")
    parser.add_argument("--rounds", default="7")
    options = parser.parse_args()
    between_markers(options.write.read_text(encoding="utf-8"), "", _BEGIN, _END)
    flags = ["--recipes", options.recipes, "--rounds", options.rounds]
    for name in options.only or _COMPARED:
        text = _compared(_COMPARED[name], flags).strip()
        document = options.write.read_text(encoding="utf-8")
        options.write.write_text(with_part(document, name, text, _END), encoding="utf-8")


def _compared(each: _Compared, flags: list[str]) -> str:
    with tempfile.TemporaryDirectory(prefix="cannery-compare-") as scratch:
        folder, markdown = Path(scratch), Path(scratch) / "compared.md"
        project = REPOSITORY / each.project if each.project else sample(folder / "sample")
        command = [sys.executable, "-m", "cannery", "compare", "--project", str(project), "--probe", each.probe, *flags]
        command += ["--peers", each.peers] if each.peers else []
        subprocess.run([*command, "--markdown", str(markdown)], cwd=folder, check=True)  # noqa: S603  # as users do
        return markdown.read_text(encoding="utf-8").replace("## ", "### ", 1)


if __name__ == "__main__":
    main()

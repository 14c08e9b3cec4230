"""The pictures of the guide: ``python -m docs.making.pictures`` makes them again.

Terminals are what commands write to one, run as the tutorial has them. The chart is drawn from the table in
``docs/recipes.md``. No picture asks another host for a font.
"""

from __future__ import annotations

import os
import pty
import re
import shutil
import subprocess
import tempfile
from html import escape
from pathlib import Path
from typing import TYPE_CHECKING, Final, NamedTuple

from rich.console import Console
from rich.terminal_theme import SVG_EXPORT_THEME
from rich.text import Text

from docs.making.drawings import DRAWINGS
from docs.making.page import Reader, blocks

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["PICTURES", "TERMINALS", "Row", "chart", "drawn", "recipe_sizes", "terminal"]

DOCS: Final = Path(__file__).parents[1]
PICTURES: Final = DOCS / "pictures"
TERMINALS: Final = {  # a picture -> what is typed in the tutorial's project
    "tutorial-image.svg": ("cannery", "image"),
    "tutorial-check.svg": ("cannery", "check", "--", "http://:8000/prices/pear"),
    "tutorial-sizes.svg": ("cannery", "sizes"),
}
_WIDTH: Final = 88  # columns
_FONTS: Final = re.compile(r"@font-face \{.*?\}\n", re.DOTALL)  # of another host
_ROW: Final = re.compile(r"^\| \[?`(?P<recipe>\w+)`[^|]*\| (?P<disk>[\d.]+) MB \| (?P<pull>[\d.]+) MB \|", re.MULTILINE)


class Row(NamedTuple):
    """What an image by a recipe takes, in MB."""

    recipe: str
    disk: float
    pull: float


def terminal(command: Sequence[str], folder: Path, environment: dict[str, str]) -> str:
    """What a terminal shows of ``command`` once it has ended, as SVG; progress goes elsewhere."""
    primary, secondary = pty.openpty()
    with subprocess.Popen(
        [*command], cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=secondary, stderr=subprocess.DEVNULL
    ):
        os.close(secondary)
        written = b"".join(iter(lambda: _read(primary), b""))
    os.close(primary)
    console = Console(record=True, width=_WIDTH, file=Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
    console.print(Text.from_ansi(f"$ {' '.join(command)}\n" + written.decode().replace("\r\n", "\n")), soft_wrap=False)
    return _FONTS.sub("", console.export_svg(title="", theme=SVG_EXPORT_THEME, unique_id="terminal"))


def _read(primary: int) -> bytes:
    try:
        return os.read(primary, 65536)
    except OSError:  # nobody writes to it any more
        return b""


def recipe_sizes(page: str) -> list[Row]:
    """The rows of the table in ``docs/recipes.md``."""
    return [Row(found["recipe"], float(found["disk"]), float(found["pull"])) for found in _ROW.finditer(page)]


def chart(rows: Sequence[Row]) -> str:
    """Bars of what each recipe's image takes on disk and to pull, for light and dark."""
    most, bars = max(row.disk for row in rows), []
    for place, row in enumerate(rows):
        top = 40 + place * 46
        bars.append(f'<text x="96" y="{top + 19}" text-anchor="end" class="name">{escape(row.recipe)}</text>')
        for kind, size, below in (("disk", row.disk, 0), ("pull", row.pull, 15)):
            width = max(2, round(size / most * 440))
            bars.append(f'<rect x="106" y="{top + below}" width="{width}" height="13" rx="2" class="{kind}"/>')
            bars.append(f'<text x="{112 + width}" y="{top + below + 11}">{size:g} MB</text>')
    height = 52 + len(rows) * 46
    return _CHART.format(height=height, bars="\n  ".join(bars))


_CHART: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 640 {height}" role="img" aria-labelledby="title">
  <title id="title">What an image takes on disk and to pull, by recipe</title>
  <style>
    text {{ font: 12px system-ui, sans-serif; fill: #24292f }}
    .name {{ font: 600 14px system-ui, sans-serif }}
    .disk {{ fill: #2f6f9f }}
    .pull {{ fill: #d08a2e }}
    @media (prefers-color-scheme: dark) {{
      text {{ fill: #e6edf3 }} .disk {{ fill: #58a6d6 }} .pull {{ fill: #e3a857 }}
    }}
  </style>
  <rect x="106" y="10" width="13" height="13" rx="2" class="disk"/><text x="124" y="21">on disk</text>
  <rect x="190" y="10" width="13" height="13" rx="2" class="pull"/><text x="208" y="21">to pull, compressed</text>
  {bars}
</svg>
"""


def drawn() -> dict[str, str]:
    """The pictures that need no build, by their names."""
    return {**DRAWINGS, "sizes.svg": chart(recipe_sizes((DOCS / "recipes.md").read_text(encoding="utf-8")))}


def _main() -> None:
    for name, drawing in drawn().items():
        (PICTURES / name).write_text(drawing, encoding="utf-8")
    folder = Path(tempfile.mkdtemp())
    try:
        with Reader(folder / "home", folder / "work") as reader:
            _tutorial(reader)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _tutorial(reader: Reader) -> None:
    """Run the tutorial's commands in its project, as far as the project is made by them."""
    text = (DOCS / "tutorial.md").read_text(encoding="utf-8")
    project = reader.folder / "shop"
    project.mkdir()
    environment = {**os.environ, "COLUMNS": str(_WIDTH), "TERM": "xterm-256color", "CANNERY_ENGINE": "none"}
    environment["PATH"] = f"{reader.home}/bin:{environment['PATH']}"
    subprocess.run(["uv", "init", "--quiet", "--bare"], cwd=project, check=True)
    subprocess.run(["uv", "add", "--quiet", "fastapi", "uvicorn"], cwd=project, check=True)
    main = next(block for block in blocks(text) if block.kind == "file")
    (project / main.argument).write_text(main.text, encoding="utf-8")
    for name, command in TERMINALS.items():
        (PICTURES / name).write_text(terminal(command, project, environment), encoding="utf-8")


if __name__ == "__main__":
    _main()

"""The drawings of ``docs/how-it-works.md``, for light and dark: boxes, arrows and words."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["DRAWINGS"]

_FORM: Final = """\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 720 {height}" role="img" aria-labelledby="title">
  <title id="title">{title}</title>
  <style>
    text {{ font: 13px system-ui, sans-serif; fill: #24292f }}
    .head {{ font-weight: 600 }}
    .small {{ font-size: 11px; fill: #57606a }}
    rect {{ stroke: #8c959f; fill: #f6f8fa }}
    .app {{ fill: #dcefe1 }}
    .dependencies {{ fill: #fdecc8 }}
    .runtime {{ fill: #dbe9f6 }}
    .arrow {{ stroke: #57606a; stroke-width: 1.5; fill: none; marker-end: url(#tip) }}
    marker path {{ fill: #57606a; stroke: none }}
    @media (prefers-color-scheme: dark) {{
      text {{ fill: #e6edf3 }} .small {{ fill: #9aa5b1 }}
      rect {{ stroke: #6e7681; fill: #21262d }}
      .app {{ fill: #1d4028 }} .dependencies {{ fill: #4a3812 }} .runtime {{ fill: #16344f }}
      .arrow {{ stroke: #9aa5b1 }} marker path {{ fill: #9aa5b1 }}
    }}
  </style>
  <marker id="tip" viewBox="0 0 8 8" refX="7" refY="4" markerWidth="7" markerHeight="7" orient="auto">
    <path d="M0 0 8 4 0 8z"/>
  </marker>
  {parts}
</svg>
"""


def _box(x: int, y: int, size: tuple[int, int], words: str, kind: str = "") -> str:
    """A box; the first line of ``words`` is its heading, the others are smaller."""
    width, height = size
    head, *rest = words.split("\n")
    lines = [f'<text class="head" x="{x + 12}" y="{y + 21}">{escape(head)}</text>']
    lines += [
        f'<text class="small" x="{x + 12}" y="{y + 39 + 16 * row}">{escape(line)}</text>'
        for row, line in enumerate(rest)
    ]
    return f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="{height}" rx="6"/>' + "".join(lines)


def _line(x: int, y: int, width: int, words: str, kind: str = "") -> str:
    """A box with one line that is no heading."""
    box = f'<rect class="{kind}" x="{x}" y="{y}" width="{width}" height="34" rx="6"/>'
    return f'{box}<text x="{x + 12}" y="{y + 21}">{escape(words)}</text>'


def _arrow(x: int, y: int, end: tuple[int, int]) -> str:
    return f'<path class="arrow" d="M{x} {y} L{end[0]} {end[1]}"/>'


def _drawing(title: str, height: int, parts: Iterable[str]) -> str:
    return _FORM.format(title=escape(title), height=height, parts="\n  ".join(parts))


def _layers() -> str:
    rows = [
        ("app", "main.py, shop/", "your modules, and data\nthat they name", "app", "1 kB: changes daily"),
        ("dependencies", "uv.lock", "the wheels", "dependencies", "4.5 MB: monthly"),
        ("runtime", "this machine\nor its lock", "Python, and libraries\nthat others need", "runtime", "12.6 MB"),
    ]  # fmt: skip
    parts = [
        f'<text class="head" x="{x}" y="22">{word}</text>'
        for x, word in ((20, "what you have"), (210, "tree"), (450, "layer"))
    ]
    for row, (kind, source, tree, layer, size) in enumerate(rows):
        y = 36 + row * 84
        parts += [
            _box(20, y, (150, 66), source),
            _arrow(172, y + 33, (206, y + 33)),
            _box(210, y, (200, 66), f"{kind}\n{tree}", kind),
            _arrow(412, y + 33, (446, y + 33)),
            _box(450, y, (170, 66), f"{layer}\n{size}", kind),
        ]
    parts += [_box(640, 36, (66, 234), "image\none\ndigest")]
    return _drawing("Files become trees, trees become layers, layers are an image", 290, parts)


def _static() -> str:
    parts = [
        _box(20, 20, (420, 290), "one executable, 6.4 MB"),
        _box(40, 56, (380, 46), "your bytecode\nand an importer that finds it", "app"),
        _box(40, 110, (380, 46), "the wheels' bytecode\nand their extension modules, linked in", "dependencies"),
        _box(40, 164, (380, 46), "the standard library's bytecode\nas far as something imports it", "runtime"),
        _box(
            40, 218, (380, 78), "CPython\nOpenSSL, SQLite, zlib … those that are used\nmusl, the C library", "runtime"
        ),
        _box(470, 20, (230, 84), "what it needs\nthe kernel, and nothing else:\nno loader, no library, no /tmp"),
        _box(
            470,
            124,
            (230, 84),
            "beside it in the image\n/etc/passwd, CA certificates,\ntime zones, where they are used",
        ),
    ]
    return _drawing("What is in a static executable", 330, parts)


def _bytes() -> str:
    rows = [
        ("files have the time of the build", "a file's time follows from its contents"),
        ("folders come in the disk's order", "entries are sorted"),
        ("owners and umask are those of who builds", "owners are numbers, modes are masked"),
        ("bytecode depends on what came before it", "a fresh process makes each module's"),
        ("compression depends on how many cores", "the same bytes for any number"),
        ("versions are what the index has today", "a lock, with hashes"),
    ]
    parts = [
        '<text class="head" x="20" y="22">two builds usually differ, because</text>',
        '<text class="head" x="400" y="22">so cannery sees to it that</text>',
    ]
    for row, (before, after) in enumerate(rows):
        y = 36 + row * 44
        parts += [
            _line(20, y, 330, before),
            _arrow(352, y + 17, (396, y + 17)),
            _line(400, y, 300, after, "app"),
        ]
    return _drawing("Why two builds usually differ, and what is done about each reason", 310, parts)


DRAWINGS: Final[Mapping[str, str]] = {"layers.svg": _layers(), "static.svg": _static(), "bytes.svg": _bytes()}

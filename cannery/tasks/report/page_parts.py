"""What pages have in common: one file each, which asks no other for anything, has no script, and can be printed."""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["HUES", "document", "rows_of_table"]

HUES: Final = (205, 150, 30, 275, 345, 95, 240, 60, 180, 315)  # degrees, of what is told apart by its colour

# Browsers ask for nothing then, not even for an icon.
_POLICY: Final = "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
_STYLE: Final = """
:root {
  color-scheme: light dark; --text: #1a1a1a; --back: #ffffff; --line: #ffffff;
  --light: 82%; --strong: 40%; --soft: #555555
}
@media (prefers-color-scheme: dark) {
  :root { --text: #f0f0f0; --back: #16181c; --line: #16181c; --light: 28%; --strong: 65%; --soft: #b5b5b5 }
}
body { font: 16px/1.5 system-ui, sans-serif; color: var(--text); background: var(--back) }
main { margin: 0 auto; max-width: 76rem; padding: 0 .5rem }
svg { width: 100%; height: auto; display: block }
svg text { font: 12px system-ui, sans-serif; fill: var(--text); pointer-events: none }
svg rect { stroke: var(--line); stroke-width: 1.5 }
table { border-collapse: collapse; width: 100%; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .2rem .6rem .2rem 0; overflow-wrap: anywhere }
th + th, th + td, td + td { text-align: right; white-space: nowrap }
summary { cursor: pointer; padding: .3rem 0 }
p, caption, footer { color: var(--soft); text-align: left }
.wide { overflow-x: auto }
.wide th, .wide td { white-space: nowrap }
.wide > svg { min-width: 45rem }
:focus-visible { outline: 3px solid var(--text); outline-offset: 2px }
figure { margin: 0 0 1rem; max-width: 42rem }
figcaption { color: var(--soft) }
.axis { stroke: var(--soft); stroke-width: 1; fill: none }
.range { stroke: var(--text); stroke-width: 1.5 }
.key { display: inline-block; width: .8em; height: .8em; margin: 0 .3em 0 .8em }
""".strip()


def document(title: str, body: Iterable[str]) -> str:
    """A page, as HTML; ``title`` is text, the lines of ``body`` are HTML."""
    lines = [
        "<!doctype html>",
        '<html lang="en"><head><meta charset="utf-8">',
        f'<meta http-equiv="Content-Security-Policy" content="{_POLICY}">',
        '<meta name="viewport" content="width=device-width, initial-scale=1">',
        '<link rel="icon" href="data:,">',
        f"<title>{escape(title)}</title>",
        f"<style>{_STYLE}</style></head><body><main>",
        *body,
        "</main></body></html>",
    ]
    return "\n".join(lines) + "\n"


def rows_of_table(label: str, columns: Iterable[str], rows: Iterable[Iterable[str]]) -> Iterable[str]:
    """A table called ``label``, whose cells are HTML; on a narrow screen it's scrolled, by the keyboard as well."""
    yield f'<div class="wide" role="region" tabindex="0" aria-label="{escape(label)}"><table><thead><tr>'
    yield "".join(f'<th scope="col">{column}</th>' for column in columns)
    yield "</tr></thead><tbody>"
    for name, *cells in rows:
        yield f'<tr><th scope="row">{name}</th>{"".join(f"<td>{cell}</td>" for cell in cells)}</tr>'
    yield "</tbody></table></div>"

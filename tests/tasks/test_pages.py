"""Pages in a real browser: no complaint, no request, text that can be read in the light and in the dark."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.tasks.report.compare_page import compare_page
from cannery.tasks.report.sizes_page import page as sizes_page
from tests.support.browser import visit
from tests.support.compared import COMPARED

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.slow]

PAGES = {"compare": compare_page(COMPARED), "sizes": sizes_page(COMPARED.sizes["scratch"])}

# The contrast of each text with what lies behind it (WCAG 2.2, 1.4.3), and what else a reader needs.
LOOK = """
const rgb = text => text.match(/[\\d.]+/g).slice(0, 3).map(Number);
const light = text => rgb(text).map(value => value / 255)
  .map(value => value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4)
  .reduce((sum, value, at) => sum + value * [0.2126, 0.7152, 0.0722][at], 0);
const contrast = (one, other) => {
  const [high, low] = [light(one), light(other)].sort((a, b) => b - a);
  return (high + 0.05) / (low + 0.05);
};
const page = getComputedStyle(document.body).backgroundColor;
const behind = element => {
  const svg = element.closest("svg");
  if (!svg) return page;
  const {left, top, height} = element.getBoundingClientRect();
  const under = [...svg.querySelectorAll("rect")].filter(rect => {
    const box = rect.getBoundingClientRect();
    const [x, y] = [left + 2, top + height / 2];
    return box.left <= x && x <= box.right && box.top <= y && y <= box.bottom;
  }).filter(rect => rect.compareDocumentPosition(element) & Node.DOCUMENT_POSITION_FOLLOWING);
  return under.length ? getComputedStyle(under.at(-1)).fill : page;
};
const texts = [...document.querySelectorAll("h1, h2, p, li, th, td, summary, figcaption, svg text")];
const shown = texts.map(element => {
  const style = getComputedStyle(element);
  const colour = element.closest("svg") ? style.fill : style.color;
  return {text: element.textContent.slice(0, 40), contrast: contrast(colour, behind(element))};
});
const marks = [...document.querySelectorAll("circle, .key, figure rect")].map(element => {
  const style = getComputedStyle(element);
  return contrast(element.matches(".key") ? style.backgroundColor : style.fill, page);
});
const reachable = element => element.matches("summary") || !element.closest("details:not([open])");
const focused = [...document.querySelectorAll(".wide, summary")].filter(reachable).map(element => {
  element.focus();
  return document.activeElement === element;
});
document.documentElement.style.width = "360px";  // a phone's, which is narrower than any window
const overflow = document.querySelector("main").scrollWidth - 360;
return {
  dark: light(page) < 0.1,
  texts: shown.length,
  low: shown.filter(each => each.contrast < 4.5),
  marks: Math.min(...marks),
  unnamed: [...document.querySelectorAll("svg, [role=region]")].filter(each => !each.getAttribute("aria-label")).length,
  headless: [...document.querySelectorAll("table")].filter(each => !each.querySelector("thead th")).length,
  language: document.documentElement.lang,
  unfocused: focused.filter(each => !each).length,
  overflow: Math.max(0, overflow),
};
"""


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("name", PAGES)
def test_a_page_asks_nobody_and_can_be_read(name: str, dark: bool, tmp_path: Path) -> None:
    seen = visit(PAGES[name], tmp_path, LOOK, dark=dark, width=500)
    assert seen.console == ()
    assert seen.requests == ()
    found = seen.found
    assert found["dark"] is dark
    assert found["texts"] > 5
    assert found["low"] == []
    assert found["marks"] is None or found["marks"] >= 3  # WCAG 2.2, 1.4.11
    assert (found["unnamed"], found["headless"], found["language"], found["unfocused"]) == (0, 0, "en", 0)
    assert found["overflow"] == 0


def test_a_page_that_asks_for_something_is_noticed(tmp_path: Path) -> None:
    """What the test above goes by."""
    page = '<html><head></head><body><img src="http://images.example/x.png"><h1>x</h1></body></html>'
    assert [request for request in visit(page, tmp_path).requests if "images.example" in request]
    refused = page.replace(
        "<head>", """<head><meta http-equiv="Content-Security-Policy" content="default-src 'none'">"""
    )
    (tmp_path / "refused").mkdir()
    assert "images.example" in visit(refused, tmp_path / "refused").console[0]

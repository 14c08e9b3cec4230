"""``cannery sizes`` over whole images: of the project, of archives, of a registry; and as a gate."""

from __future__ import annotations

import random
import re
import shutil
from html.parser import HTMLParser
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.command import cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]

FILES = {
    "main.py": "import helper, json\nif __name__ == '__main__': print(json.dumps(helper.ONE))",
    "helper.py": "ONE = 1",
    "noise.bin": "none yet",
    "pyproject.toml": "[tool.cannery]\nname = 'tin'\nrecipe = 'tiny'\nresources = ['noise.bin']\n",
}


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(FILES)


def part(report: Any, name: str) -> dict[str, Any]:
    (found,) = (each for each in report["parts"] if each["name"] == name)
    return dict(found)


def test_the_parts_are_the_image_to_the_byte(project: Path) -> None:
    built = cannery("image", "--json", cwd=project).report
    report = cannery("sizes", "--why", "--json", cwd=project).report
    layers = {layer["name"]: layer["compressed_size"] for layer in built["layers"]}
    assert {layer["name"]: layer["compressed_size"] for layer in report["layers"]} == layers
    for name, size in layers.items():
        assert sum(each["compressed_size"] for each in report["parts"] if each["layer"] == name) == size
    assert (
        report["compressed_size"] == sum(layers.values()) == sum(each["compressed_size"] for each in report["owners"])
    )
    assert part(report, "helper")["why"] == ["helper"]
    decoder = part(report, "json.decoder")
    assert (decoder["owner"], decoder["kind"]) == ("standard library", "module")
    assert decoder["why"][-2:] == ["json", "json.decoder"]


def test_a_table_shows_what_is_large(project: Path) -> None:
    shown = cannery("sizes", cwd=project)
    assert shown.code == 0
    assert re.match(r"tin:latest  linux/\w+, [\d.]+ MB, [\d.]+ MB compressed\n", shown.stdout)
    library = r"^     libpython3[^ ]* \(shared library\) +[\d.]+ MB +[\d.]+ MB +[\d.]+ %$"
    assert re.search(library, shown.stdout, re.MULTILINE)
    assert max(map(len, shown.stdout.splitlines())) <= 100
    everything = cannery("sizes", "--all", cwd=project).stdout
    assert " json.decoder " in everything
    assert " others " not in everything


def test_another_image_is_compared_and_growth_can_be_forbidden(project: Path) -> None:
    assert cannery("image", cwd=project).code == 0
    before = shutil.copy(project / "dist/tin.tar", project.parent / "before.tar")
    assert "nothing in it has another size\n" in cannery("sizes", "--against", str(before), cwd=project).stdout
    (project / "noise.bin").write_bytes(random.Random(7).randbytes(200_000))
    (project / "main.py").write_text("import helper, json, csv\nprint(json.dumps(helper.ONE), csv)")
    shown = cannery("sizes", "--against", str(before), "--why", cwd=project)
    assert shown.code == 0, shown.stderr
    assert re.search(r"^   noise\.bin +\+200\.0 kB +\+(?:19|20)\d\.\d kB +grown$", shown.stdout, re.MULTILINE)
    assert re.search(r"^   csv .* new, by __main__ > csv$", shown.stdout, re.MULTILINE)
    refused = cannery("sizes", "--against", str(before), "--max-growth", "1%", cwd=project)
    assert refused.code == 13
    assert re.search(
        r"^error: tin:latest has grown by \d+,\d+ bytes, and \d+,\d+ \(1%\) are allowed\n", refused.stderr, re.MULTILINE
    )
    settings = f"[tool.cannery.sizes]\nagainst = '{before}'\nmax-growth = '1MB'\nbudget = '1MB'\n"
    (project / "pyproject.toml").write_text(FILES["pyproject.toml"] + settings)
    refused = cannery("sizes", cwd=project)
    assert refused.code == 13
    assert "to pull, and the budget is 1,000,000\n" in refused.stderr


class _Page(HTMLParser):
    """The tags of a page, each closed, and the addresses in it."""

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.addresses: list[str] = []
        self.areas: list[float] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        self.addresses += [str(given[name]) for name in ("src", "href") if name in given]
        if tag == "rect":
            self.areas.append(float(given["width"] or 0) * float(given["height"] or 0))
        if tag not in {"link", "meta"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_a_page_has_all_that_it_needs(project: Path) -> None:
    assert cannery("sizes", "--html", "out.html", cwd=project).code == 0
    text = (project / "out.html").read_text()
    page = _Page()
    page.feed(text)
    assert (page.open, page.addresses) == ([], ["data:,"])
    assert "url(" not in text
    assert "<script" not in text
    assert len(page.areas) > 20
    assert "libpython3" in text


def test_an_image_of_a_registry_is_read(registry: Registry, project: Path) -> None:
    reference = f"{registry.address}/sizes/tin:1"
    assert cannery("push", "--", reference, cwd=project).code == 0
    there = cannery("sizes", "--image", reference, "--json", cwd=project.parent).report
    here = cannery("sizes", "--json", cwd=project).report
    assert there["parts"] == here["parts"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--image", "./gone.tar"), "error: there is no image at ./gone.tar\n"),
        (("--image", "x.tar", "--why"), "error: --why is about the project's own image\n"),
        (("--max-growth", "1MB"), "error: --max-growth is growth against another image\n"),
        (("--budget", "small"), "error: 'small' is no size\n"),
    ],
)
def test_what_has_no_meaning_is_told(project: Path, arguments: tuple[str, ...], told: str) -> None:
    refused = cannery("sizes", *arguments, cwd=project)
    assert refused.code in {2, 8}
    assert told in refused.stderr

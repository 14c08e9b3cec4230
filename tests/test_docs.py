"""The documentation says what the code does, and names what there is."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from textwrap import indent

import pytest

import cannery
from docs.making.pictures import PICTURES, TERMINALS, drawn
from docs.making.site import foreign, named_in_navigation, staged_text

pytestmark = pytest.mark.once

ROOT = Path(__file__).parents[1]
DOCS = ROOT / "docs"
PACKAGE = Path(cannery.__file__).parent
PAGES = sorted([*ROOT.glob("*.md"), *DOCS.rglob("*.md"), *PACKAGE.rglob("*.md")])
# Pages whose words in `code` that look like paths are paths of this repository.
MAPS = [PACKAGE / "README.md", *(page for page in PAGES if page.stem in {"CONTRIBUTING", "design", "glossary"})]
_PATH = re.compile(r"[\w.-]+(?:/[\w.-]+)*(?:/|\.(?:py|toml|md|c|h|dockerfile|json|lock))")
_OTHERS = {  # files of a user's project
    *("cannery.lock", "poetry.lock", "pylock.toml", "requirements.txt"),
    *("main.py", "tasks.py", "x.py"),
}
_LINK = re.compile(r"\]\(([^)\s]+)\)")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_link_leads_somewhere(page: Path) -> None:
    for link in _LINK.findall(page.read_text(encoding="utf-8")):
        if "://" not in link:
            path, _, heading = link.partition("#")
            target = page.parent / path if path else page
            assert target.exists(), link
            assert not heading or heading in _headings(target), link


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_table_is_whole(page: Path) -> None:
    """Below an empty line rows are text, and what stands in more cells than the head has isn't shown."""
    prose = re.sub(r"^ *```.*?^ *```", "", _text(page), flags=re.MULTILINE | re.DOTALL)
    for table in re.findall(r"(?:^\|.*\n?)+", prose, re.MULTILINE):
        head, line, *rows = [re.sub(r"\\\|", "", row).count("|") for row in table.splitlines()]
        assert re.fullmatch(r"(?:\| *:?-+:? *)+\|", table.splitlines()[1]), table
        assert {line, *rows} == {head}, table


def test_every_page_has_its_place_in_the_site_and_leads_to_others() -> None:
    named = named_in_navigation()
    pages = {path.relative_to(ROOT).as_posix() for path in DOCS.rglob("*.md")}
    assert pages - named == set(), "zensical.toml has no place for them"
    assert {page for page in named if not (ROOT / page).exists()} == set()


def test_pictures_that_are_drawn_are_what_they_are_drawn_from_today() -> None:
    assert {name: (PICTURES / name).read_text(encoding="utf-8") for name in drawn()} == drawn()


def test_pictures_ask_no_other_host_for_anything() -> None:
    pictures = sorted(PICTURES.glob("*.svg"))
    assert {*drawn(), *TERMINALS} == {path.name for path in pictures}
    assert [path.name for path in pictures if re.search(r"(?:url\(|href=|src=).{0,3}https?:", _text(path))] == []


@pytest.mark.parametrize(
    ("page", "found"),
    [
        ('<script src="https://cdn.example/x.js"></script>', ["index.html: https://cdn.example/x.js"]),
        ('<link href="//fonts.example/x.css" rel="stylesheet">', ["index.html: //fonts.example/x.css"]),
        ("<style>@import 'https://fonts.example/x'</style>", ["index.html: https://fonts.example/x"]),
        ('<a href="https://docs.example/">see</a><link rel="canonical" href="https://docs.example/">', []),
    ],
)
def test_what_a_site_asks_other_hosts_for_is_found(page: str, found: list[str], tmp_path: Path) -> None:
    (tmp_path / "index.html").write_text(page)
    assert foreign(tmp_path) == found


def test_links_to_what_is_no_page_lead_to_the_repository() -> None:
    assert "](https://github.com/cannery-dev/cannery/tree/main/examples)" in staged_text(Path("README.md"))
    assert "](docs/starting.md)" in staged_text(Path("README.md"))


def _headings(page: Path) -> set[str]:
    """What the page's headings are called in links, as GitHub does it."""
    titles = re.findall(r"^#+ (.+)$", page.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w -]", "", title.lower()).replace(" ", "-") for title in titles}


@pytest.mark.parametrize("page", MAPS, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_path_that_is_named_is_there(page: Path) -> None:
    named = {word for word in re.findall(r"`([^`\n]+)`", page.read_text(encoding="utf-8")) if _PATH.fullmatch(word)}
    missing = {path for path in named if not any((above / path).exists() for above in (PACKAGE, ROOT))}
    assert missing - _OTHERS == set()


def test_what_is_quoted_from_the_code_stands_there() -> None:
    quoted = re.findall(r"<!-- from: (\S+) -->\n\n```python\n(.*?)```", "".join(map(_text, PAGES)), re.DOTALL)
    assert quoted
    for path, lines in quoted:
        assert indent(lines, " " * 4) in _text(ROOT / path), path


def _text(page: Path) -> str:
    return page.read_text(encoding="utf-8")


def test_the_design_names_all_that_is_remembered() -> None:
    remembered = re.compile(
        r"(?:(?:recall|remember|\.folder)(?:\(|,)\s*|unaltered_folder(?:\(|,)[\w.\s]+,\s*|_KIND: Final = )\"([a-z-]+)\""
    )
    kinds = {kind for path in PACKAGE.rglob("*.py") for kind in remembered.findall(_text(path))}
    table = _text(DOCS / "design.md").partition("| what | kinds |")[2].partition("\n\n")[0]
    rows = [row.split(" | ")[1] for row in table.splitlines()[2:]]
    assert {kind for row in rows for kind in re.findall(r"`([a-z-]+)`", row)} - {"bytecode", "extensions"} == kinds


def test_the_readme_names_every_extra_and_no_other() -> None:
    with (ROOT / "pyproject.toml").open("rb") as file:
        extras = tomllib.load(file)["project"]["optional-dependencies"]
    table = _text(ROOT / "README.md").partition("| extra | what for |")[2].partition("\n\n")[0]
    assert sorted(re.findall(r"`\[(\w+)\]`", table)) == sorted(extras)


def test_messages_that_are_explained_are_those_of_the_code() -> None:
    code = re.sub(r'"\s*\n\s*f?"', "", "".join(_text(path) for path in PACKAGE.rglob("*.py")))
    part = _text(DOCS / "howto/troubleshooting.md").partition("## It builds, but doesn't")[0]
    messages = re.findall(r"^\| `([^`]+)` \|", part, re.MULTILINE)
    assert messages
    uv = {"has no usable wheels"}  # what uv says is shown
    parts = {part.strip(", ").removeprefix("and ") for message in messages for part in message.split("…")} - {""} - uv
    assert {part for part in parts if part not in code} == set()


def test_contributors_are_told_of_every_session_and_of_no_other() -> None:
    exported = re.search(r"__all__ = \[([^]]*)\]", _text(ROOT / "noxfile.py"))
    assert exported is not None
    told = re.findall(r"^\| `nox -s (\w+)` \|", _text(ROOT / "CONTRIBUTING.md"), re.MULTILINE)
    assert sorted(told) == sorted(re.findall(r'"(\w+)"', exported[1]))

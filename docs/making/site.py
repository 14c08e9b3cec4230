"""The site: ``python -m docs.making.site stage`` lays out its pages, ``… check`` looks at what was built of them.

Pages lie in the site as they do in the repository, so that links between them hold in both. Links to anything else
of the repository lead to where that is published.
"""

from __future__ import annotations

import re
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["BUILT", "ROOT", "STAGED", "foreign", "named_in_navigation", "pages", "staged_text"]

ROOT: Final = Path(__file__).parents[2]
STAGED: Final = ROOT / "build/guide"
BUILT: Final = ROOT / "build/site"  # as zensical.toml has it
_FOLDERS: Final = ("docs", "cannery", "examples")
_PICTURES: Final = {".svg"}
_LINK: Final = re.compile(r"(?<=\]\()(?!\w+:|#)([^)\s#]+)(#[^)\s]*)?(?=\))")
_LOADED: Final = re.compile(
    r"<(?:script|img|iframe|source|audio|video|embed)\b[^>]*?\bsrc=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|<link\b(?=[^>]*\brel=[\"']?(?:stylesheet|preload|preconnect|dns-prefetch|icon))"
    r"[^>]*?\bhref=[\"']?((?:https?:)?//[^\"'\s>]+)"
    r"|(?:url\(|@import )[\"']?((?:https?:)?//[^\"')\s]+)"
)


def pages() -> list[Path]:
    """Every page of the repository, by its path from there."""
    below = (path for folder in _FOLDERS for path in (ROOT / folder).rglob("*.md"))
    return sorted(path.relative_to(ROOT) for path in (*ROOT.glob("*.md"), *below) if ".venv" not in path.parts)


def staged_text(page: Path) -> str:
    """What the site has of ``page``, whose links to what is no page lead to the repository."""
    return _LINK.sub(lambda link: _target(page, link[1]) + (link[2] or ""), (ROOT / page).read_text(encoding="utf-8"))


def _target(page: Path, link: str) -> str:
    path = (ROOT / page.parent / link).resolve()
    if path.suffix in {".md", *_PICTURES} or not path.is_relative_to(ROOT):
        return link
    kind = "tree" if path.is_dir() else "blob"
    return f"{_repository()}/{kind}/main/{path.relative_to(ROOT).as_posix()}"


def _repository() -> str:
    with (ROOT / "pyproject.toml").open("rb") as file:
        return str(tomllib.load(file)["project"]["urls"]["Source"])


def named_in_navigation() -> set[str]:
    """The pages that the site's navigation leads to."""
    with (ROOT / "zensical.toml").open("rb") as file:
        return set(_leaves(tomllib.load(file)["project"]["nav"]))


def _leaves(entry: object) -> Iterator[str]:
    if isinstance(entry, str):
        yield entry
    elif isinstance(entry, dict):
        yield from (leaf for each in entry.values() for leaf in _leaves(each))
    elif isinstance(entry, list):
        yield from (leaf for each in entry for leaf in _leaves(each))


def foreign(site: Path) -> list[str]:
    """What a browser that opens a page of ``site`` would ask other hosts for, each with the file that says so."""
    files = (path for path in sorted(site.rglob("*")) if path.suffix in {".html", ".css"})
    return [
        f"{path.relative_to(site)}: {next(filter(None, found.groups()))}"
        for path in files
        for found in _LOADED.finditer(path.read_text(encoding="utf-8"))
    ]


def _stage() -> None:
    shutil.rmtree(STAGED, ignore_errors=True)
    for page in pages():
        target = STAGED / page
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_text(staged_text(page), encoding="utf-8")
    for picture in (path for path in (ROOT / "docs").rglob("*") if path.suffix in _PICTURES):
        target = STAGED / picture.relative_to(ROOT)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(picture, target)


def _main(step: str) -> str | None:
    if step == "stage":
        _stage()
        return None
    asked = foreign(BUILT)
    return "the site asks other hosts for something:\n" + "\n".join(asked) if asked else None


if __name__ == "__main__":
    sys.exit(_main(*sys.argv[1:]))

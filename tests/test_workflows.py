"""Workflows of this repository and of pages have the keys that their services want, and pages type what there is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest
import yaml

from cannery.tasks import namespace
from docs.making.reference import arguments_of
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

PAGES = sorted([ROOT / "README.md", *(ROOT / "docs").rglob("*.md")])
WORKFLOWS = sorted((ROOT / ".github/workflows").glob("*.yml"))
_SYNTAX = re.compile(r"<!-- syntax: (\w+) -->\n\n```yaml\n(.*?)```", re.DOTALL)
_CODE = re.compile(r"^ *```(?:sh|console|yaml|bash)\n(.*?)^ *```$", re.DOTALL | re.MULTILINE)
_COMMAND = re.compile(r"(?:^|[\s|(`/;&])(?:invoke|cannery) ((?:[a-z][\w-]*|--[a-z]).*?)(?=[|;&`]|\s#|$)", re.MULTILINE)


def workflows() -> Iterator[Any]:
    for path in WORKFLOWS:
        yield pytest.param("github", path.read_text(encoding="utf-8"), id=path.name)
    for page in PAGES:
        for kind, text in _SYNTAX.findall(page.read_text(encoding="utf-8")):
            yield pytest.param(kind, text, id=f"{page.name}-{kind}")


@pytest.mark.parametrize(("kind", "text"), [*workflows()])
def test_a_workflow_has_what_its_service_asks_for(kind: str, text: str) -> None:
    document = yaml.load(text, Loader=yaml.BaseLoader)  # noqa: S506  # texts alone, also for "on"
    if kind == "github":
        assert {"name", "on", "permissions", "jobs"} <= set(document)
        for job in document["jobs"].values():
            assert ("uses" in job) != ("steps" in job and "runs-on" in job)
            assert all(("uses" in step) != ("run" in step) for step in job.get("steps", []))
            assert all(need in document["jobs"] for need in _listed(job.get("needs", [])))
    else:
        assert all("script" in job and "image" in job for job in document.values())


def _listed(value: Any) -> list[str]:
    return [value] if isinstance(value, str) else value


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_a_page_types_no_command_and_no_flag_that_there_is_not(page: Path) -> None:
    flags = {
        str(namespace.transform(str(task.name))): {
            f"--{namespace.transform(str(argument.name))}" for argument in arguments_of(task)
        }
        for task in namespace.tasks.values()
    }
    wrong = []
    for words in _typed(page):
        name, *rest = words
        own = rest[: rest.index("--")] if "--" in rest else rest
        given = {word.partition("=")[0] for word in own if word.startswith("--")} - {"--help"}
        wrong += [words] if name not in flags or not given <= flags[name] else []
    assert wrong == []


def _typed(page: Path) -> Iterator[list[str]]:
    """The words of each command that the page shows in a block for a shell, from the command's name on."""
    for block in _CODE.findall(page.read_text(encoding="utf-8")):
        for line in block.replace("\\\n", " ").splitlines():
            for command in _COMMAND.findall(re.sub(r"\s#\s.*", "", line)):
                yield from _chained(command.split())


def _chained(words: list[str]) -> Iterator[list[str]]:
    if words and not words[0].startswith("-"):
        yield words

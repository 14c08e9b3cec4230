"""Which Pythons the tests run on."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import ConfigurationError
from cannery.python.versions import hidden_folders, named_versions, present_versions

if TYPE_CHECKING:
    from pathlib import Path

PRESENT = ("3.9", "3.11", "3.13")


def project(requires: str = "", *classified: str) -> dict[str, Any]:
    """What ``pyproject.toml`` says of Python."""
    table: dict[str, Any] = {"classifiers": [f"Programming Language :: Python :: {version}" for version in classified]}
    return {"project": table | ({"requires-python": requires} if requires else {})}


def test_classifiers_name_versions_whether_present_or_not() -> None:
    assert named_versions(project("", "3", "3 :: Only", "3.12", "3.9"), PRESENT) == ["3.9", "3.12"]


def test_requires_python_rules_classifiers_out() -> None:
    assert named_versions(project(">=3.10,<3.13", "3.9", "3.10", "3.12", "3.13"), PRESENT) == ["3.10", "3.12"]


def test_requires_python_alone_names_what_is_present() -> None:
    assert named_versions(project(">=3.10"), PRESENT) == ["3.11", "3.13"]


@pytest.mark.parametrize(("requires", "named"), [(">=3.11.4", ["3.11", "3.13"]), ("<3.12", ["3.9", "3.11"])])
def test_a_minor_version_is_allowed_when_one_of_its_releases_is(requires: str, named: list[str]) -> None:
    assert named_versions(project(requires), PRESENT) == named


def test_poetry_says_it_in_its_own_way() -> None:
    assert named_versions({"tool": {"poetry": {"dependencies": {"python": "^3.10"}}}}, PRESENT) == ["3.11", "3.13"]


def test_a_project_that_says_nothing_names_none() -> None:
    assert named_versions({}, PRESENT) == []


def test_nonsense_is_an_error() -> None:
    with pytest.raises(ConfigurationError, match="requires-python"):
        named_versions(project("three"), PRESENT)


def test_versions_are_known_by_the_names_of_executables(tmp_path: Path) -> None:
    for name in ("python3.12", "python3.13-config", "python3", "pypy3.10", "python3.9"):
        (tmp_path / name).touch()
    assert present_versions([tmp_path, tmp_path / "absent"]) == {"3.9", "3.12"}


def test_version_managers_are_looked_into_newest_first(tmp_path: Path) -> None:
    for path in (
        "pyenv/versions/3.9.18",
        "pyenv/versions/3.12.1",
        "pyenv/versions/my-env",
        "asdf/installs/python/3.10.2",
    ):
        (tmp_path / path).mkdir(parents=True)
    environment = {
        "PYENV_ROOT": f"{tmp_path}/pyenv",
        "ASDF_DATA_DIR": f"{tmp_path}/asdf",
        "MISE_DATA_DIR": f"{tmp_path}/x",
    }
    assert [folder.parent.name for folder in hidden_folders(environment)] == ["3.12.1", "3.10.2", "3.9.18"]

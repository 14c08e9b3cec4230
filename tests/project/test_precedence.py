"""Settings: read strictly, a flag before the environment before the file before the default."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.config import load
from cannery.project.precedence import resolve_settings
from cannery.project.pyproject import read_project
from cannery.project.settings import Settings

if TYPE_CHECKING:
    from tests.conftest import MakeProject

SCRIPT = {"main.py": "print('hello')\n"}


def pyproject(text: str) -> dict[str, str]:
    return {**SCRIPT, "pyproject.toml": text}


def test_a_misspelt_setting_is_refused_with_the_right_one(make_project: MakeProject) -> None:
    folder = make_project(pyproject('[tool.cannery]\nresorces = ["data"]\n'))
    with pytest.raises(ConfigurationError) as raised:
        load(folder)
    assert "unknown setting 'resorces'" in str(raised.value)
    assert "did you mean 'resources'?" in str(raised.value)
    assert str(folder / "pyproject.toml") in str(raised.value)


def test_a_misspelt_setting_of_an_export_is_refused(make_project: MakeProject) -> None:
    folder = make_project(pyproject('[tool.cannery.export."requirements.txt"]\ngroup = ["x"]\n'))
    with pytest.raises(ConfigurationError, match="did you mean 'groups'"):
        load(folder)


@pytest.mark.parametrize(
    ("setting", "evidence"),
    [
        ('strip = "yes"', 'it is "yes", and must be true or false'),
        ("optimize = 3", "it is 3, and must be an integer from 0 to 2"),
        ('resources = "data"', 'it is "data", and must be an array'),
        ('tag = "no spaces"', "must be a tag of letters"),
        ('ports = ["http"]', "must be a port from 1 to 65535"),
        ('ports = ["70000:8000"]', "must be a port"),
        ('engine = "dokcer"', "did you mean 'docker'?"),
        ('env = { "" = "x" }', "each name in it must be a name of a variable"),
        ("user = -1", "it is -1, and must be an integer from 0"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_right(make_project: MakeProject, setting: str, evidence: str) -> None:
    folder = make_project(pyproject(f"[tool.cannery]\n{setting}\n"))
    with pytest.raises(ConfigurationError) as raised:
        load(folder)
    assert evidence in raised.value.evidence
    assert setting.split(" ", maxsplit=1)[0] in raised.value.what


def test_a_flag_beats_the_environment_beats_the_file_beats_the_default(make_project: MakeProject) -> None:
    project = read_project(make_project(pyproject('[tool.cannery]\ntag = "file"\nrecipe = "file"\nuser = 7\n')))
    environ = {"CANNERY_TAG": "environment", "CANNERY_RECIPE": "environment"}
    settings, origins = resolve_settings(project, {"tag": "flag", "recipe": None}, environ)
    assert (settings.tag, settings.recipe, settings.user, settings.optimize) == ("flag", "environment", 7, 0)
    assert origins == {"tag": "--tag", "recipe": "CANNERY_RECIPE", "user": str(project.pyproject)}


def test_the_environment_is_read_as_the_setting_s_type(make_project: MakeProject) -> None:
    project = read_project(make_project(SCRIPT))
    settings, _ = resolve_settings(project, {}, {"CANNERY_STRIP": "true", "CANNERY_OPTIMIZE": "2"})
    assert (settings.strip, settings.optimize) == (True, 2)
    with pytest.raises(ConfigurationError, match="CANNERY_STRIP is wrong"):
        resolve_settings(project, {}, {"CANNERY_STRIP": "perhaps"})


@pytest.mark.parametrize(
    ("variable", "told"),
    [
        ("CANNERY_RECIPES", "did you mean 'CANNERY_RECIPE'?"),
        ("CANNERY_CACH", "did you mean 'CANNERY_CACHE'?"),
        ("CANNERY_ARGS", r"set it in pyproject.toml instead:  \[tool.cannery\]  args = "),
        ("CANNERY_AUDIT", "a variable can't be an array or a table"),
    ],
)
def test_a_variable_that_sets_nothing_is_refused(make_project: MakeProject, variable: str, told: str) -> None:
    with pytest.raises(ConfigurationError, match=told):
        resolve_settings(read_project(make_project(SCRIPT)), {}, {variable: "x"})


def test_variables_of_others_are_let_be(make_project: MakeProject) -> None:
    others = {"CANNERY_DATABASE_URL": "x", "CANNERY_RECIPES": "", "CANNERY": "x"}
    assert resolve_settings(read_project(make_project(SCRIPT)), {}, others) == (Settings(), {})


def test_an_empty_variable_counts_as_none(make_project: MakeProject) -> None:
    assert load(make_project(SCRIPT), environ={"CANNERY_TAG": ""}).settings.tag == "latest"


CAN_T_WORK = [
    'version = "../../x"',
    'version = "1\\u001b[2J"',
    'ports = ["65536"]',
    'ports = ["0"]',
    *(
        f'volumes = ["{path}"]'
        for path in ("data", "/", "/proc", "/proc/self", "/sys/x", "/dev", "/a/../proc", "/.", "//a")
    ),
    *(f'stop-signal = "{name}"' for name in ("SIGNOTHING", "TERM", "SIGTERM+1", "SIG", "SIGRTMIN+", "15")),
    'env = {"A" = "\\u0000"}',
    'args = ["a\\u0000b"]',
    'labels = {"a" = "\\u0000"}',
    'cache-size = "5"',
    'cache-size = "0GB"',
]


@pytest.mark.parametrize(
    "setting", ['stop-signal = "SIGRTMIN+3"', 'volumes = ["/data", "/processes/x/"]', 'cache-size = "none"']
)
def test_what_works_is_let_be(make_project: MakeProject, setting: str) -> None:
    load(make_project(pyproject(f"[tool.cannery]\n{setting}\n")))


@pytest.mark.parametrize("setting", CAN_T_WORK)
def test_what_no_engine_takes_is_refused(make_project: MakeProject, setting: str) -> None:
    with pytest.raises(ConfigurationError, match=r"is wrong|holds a NUL"):
        load(make_project(pyproject(f"[tool.cannery]\n{setting}\n")))

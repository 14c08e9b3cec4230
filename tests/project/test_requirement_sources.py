"""Requirements are found wherever people keep them, and two places that say different things are an error."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.project.config import load

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SCRIPT = "# /// script\n# requires-python = '>=3.11'\n# dependencies = ['six']\n# ///\n"
PROJECT = '[project]\nname = "x"\nversion = "1"\ndependencies = ["six>=1", "win; sys_platform == \'win32\'"]\n'
POETRY = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = ">=3.11"\nsix = "*"\n'
CONDA = "dependencies:\n  - python=3.11\n  - pip:\n    - six\n"


@pytest.mark.parametrize(
    ("files", "found"),
    [
        ({"requirements.txt": ""}, ("requirements.txt", "requirements")),
        ({"requirements.in": ""}, ("requirements.in", "requirements")),
        ({"requirements.in": "six", "requirements.txt": "six==1.17.0"}, ("requirements.txt", "requirements")),
        ({"requirements.txt": "", "requirements-dev.txt": "pytest"}, ("requirements.txt", "requirements")),
        (
            {"requirements/base.txt": "", "requirements/dev.txt": "-r base.txt"},
            ("requirements/base.txt", "requirements"),
        ),
        (
            {"requirements/base.txt": "", "requirements/prod.txt": "-r base.txt", "requirements/local.txt": ""},
            ("requirements/prod.txt", "requirements"),
        ),
        ({"requirements/main.in": "", "requirements/main.txt": ""}, ("requirements/main.txt", "requirements")),
        ({"requirements-prod.txt": "", "requirements-test.txt": ""}, ("requirements-prod.txt", "requirements")),
        ({"requirements.txt": "six", "pyproject.toml": PROJECT}, ("requirements.txt", "requirements")),
        ({"requirements.txt": "-e .", "pyproject.toml": PROJECT}, ("requirements.txt", "requirements")),
        ({"requirements.txt": "six", "uv.lock": ""}, ("uv.lock", "uv")),
        ({"requirements.txt": "six", "pyproject.toml": POETRY}, ("requirements.txt", "requirements")),
        ({"pylock.toml": "", "pylock.dev.toml": "", "requirements.txt": "a"}, ("pylock.toml", "pylock")),
        ({"pylock.app.toml": ""}, ("pylock.app.toml", "pylock")),
        ({"pylock.toml": "", "uv.lock": ""}, ("uv.lock", "uv")),
        ({"Pipfile": "", "Pipfile.lock": "{}"}, ("Pipfile.lock", "pipenv")),
        ({"Pipfile": "[packages]\nsix = '*'\n", "requirements.txt": "six"}, ("requirements.txt", "requirements")),
        ({"Pipfile": ""}, ("Pipfile", "pipenv")),
        ({"pdm.lock": "", "pyproject.toml": PROJECT}, ("pdm.lock", "pdm")),
        ({"environment.yml": CONDA}, ("environment.yml", "conda")),
        ({"environment.yml": CONDA, "requirements.txt": "six"}, ("requirements.txt", "requirements")),
        ({"main.py": SCRIPT}, ("main.py", "script")),
        ({"main.py": SCRIPT, "requirements.txt": "six"}, ("main.py", "script")),
        ({"pyproject.toml": PROJECT}, ("pyproject.toml", "project")),
    ],
)
def test_one_place_is_taken_and_told(make_project: MakeProject, files: dict[str, str], found: tuple[str, str]) -> None:
    folder = make_project({"main.py": "", **files})
    app = load(folder)
    assert app.requirements is not None
    assert (app.requirements.path.relative_to(folder).as_posix(), app.requirements.kind) == found
    assert [each.source for each in app.found if each.what == "requirements"] == [found[0]]


@pytest.mark.parametrize(
    ("files", "names", "why"),
    [
        ({"uv.lock": "", "poetry.lock": ""}, ("uv.lock", "poetry.lock"), "both are locks"),
        ({"pylock.a.toml": "", "pylock.b.toml": ""}, ("pylock.a.toml", "pylock.b.toml"), "both are locks"),
        ({"requirements.txt": "rich", "pyproject.toml": PROJECT}, ("requirements.txt", "pyproject.toml"), "six"),
        ({"requirements.txt": "rich", "pyproject.toml": POETRY}, ("requirements.txt", "pyproject.toml"), "six"),
        ({"requirements.txt": "rich", "Pipfile": "[packages]\nsix = '*'\n"}, ("requirements.txt", "Pipfile"), "six"),
        ({"requirements.txt": "rich", "environment.yml": CONDA}, ("requirements.txt", "environment.yml"), "six"),
        ({"main.py": SCRIPT, "requirements.txt": "rich"}, ("main.py", "requirements.txt"), "rich"),
        ({"requirements/a.txt": "", "requirements/b.txt": ""}, ("requirements/a.txt", "requirements/b.txt"), "-r"),
    ],
)
def test_two_places_are_an_error_that_names_both(
    make_project: MakeProject, files: dict[str, str], names: tuple[str, str], why: str
) -> None:
    with pytest.raises(ConfigurationError, match=f"requirements stand in {names[0]} and in {names[1]}") as raised:
        load(make_project({"main.py": "", **files}))
    assert why in raised.value.evidence
    assert f'requirements = "{names[0]}"' in raised.value.step


def test_what_one_requires_under_conditions_is_not_missing_in_the_other(make_project: MakeProject) -> None:
    poetry = POETRY.replace(
        'six = "*"', 'six = [{version = "1", markers = "os_name == \'nt\'"}, {version = "*", python = ">=3.4"}]'
    )
    built = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    text = "rich\nsix; python_version > '3.4'\n"
    app = load(make_project({"main.py": "", "requirements.txt": text, "pyproject.toml": poetry + built}))
    assert app.requirements is not None
    assert app.requirements.path.name == "requirements.txt"


def test_what_is_for_work_on_a_project_is_no_place(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "requirements-dev.txt": "pytest", "requirements/test.txt": "pytest"})
    assert load(folder).requirements is None


def test_a_script_in_a_folder_of_its_own_has_requirements_of_its_own(make_project: MakeProject) -> None:
    files = {
        "jobs/clean.py": SCRIPT,
        "requirements.txt": "rich",
        "pyproject.toml": '[tool.cannery]\nentry = "jobs/clean.py"\n',
    }
    app = load(make_project(files))
    assert app.requirements is not None
    assert app.requirements.kind == "script"
    assert app.metadata.requires_python == ">=3.11"


@pytest.mark.parametrize(
    ("name", "kind"),
    [("Pipfile", "pipenv"), ("pyproject.toml", "project"), ("deps/app.txt", "requirements"), ("conda.yaml", "conda")],
)
def test_what_the_settings_name_is_read_as_what_it_is(make_project: MakeProject, name: str, kind: str) -> None:
    setting = f'[tool.cannery]\nrequirements = "{name}"\n'
    folder = make_project({"main.py": "", name: "", "uv.lock": "", "pyproject.toml": setting})
    found = load(folder).requirements
    assert found is not None
    assert found.kind == kind


def test_a_member_of_a_workspace_has_the_lock_of_that(make_project: MakeProject) -> None:
    root = make_project(
        {
            "pyproject.toml": '[tool.uv.workspace]\nmembers = ["apps/*"]\nexclude = ["apps/old"]\n',
            "uv.lock": "",
            **{f"apps/{name}/pyproject.toml": PROJECT for name in ("web", "old")},
            **{f"apps/{name}/main.py": "" for name in ("web", "old")},
        }
    )
    app = load(root / "apps" / "web")
    assert app.requirements is not None
    assert app.requirements.path == root / "uv.lock"
    assert [each.value for each in app.found if each.what == "requirements"] == ["../../uv.lock"]
    other = load(root / "apps" / "old").requirements
    assert other is not None
    assert other.kind == "project"


@pytest.mark.parametrize(
    ("text", "version"),
    [
        ("3.12\n", "3.12"),
        ("# mine\n3.12.4\n3.11\n", "3.12"),
        ("cpython@3.13t", "3.13"),
        ("pypy3.10\n3.11", "3.11"),
        ("", None),
    ],
)
def test_python_version_is_heeded(make_project: MakeProject, text: str, version: str | None) -> None:
    folder = make_project({"main.py": "", ".python-version": text})
    app = load(folder)
    assert app.python == version
    assert [each.value for each in app.found if each.what == "python"] == [*filter(None, [version])]
    assert load(folder, {"python": "3.11"}).python is None


def test_a_pipfile_may_say_which_python(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "Pipfile": '[requires]\npython_version = "3.12"\n'})
    assert load(folder).metadata.requires_python == "==3.12.*"

"""Settings: read strictly, a flag before the environment before the file before the default."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.config import load, read_project, resolve_settings

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
        ('strip = "yes"', "Expected `bool`, got `str`"),
        ("optimize = 3", "Expected `int` <= 2"),
        ('resources = "data"', "Expected `array`, got `str`"),
        ('tag = "no spaces"', "matching regex"),
        ('ports = ["http"]', "matching regex"),
        ("user = -1", "Expected `int` >= 0"),
    ],
)
def test_a_wrong_value_is_refused_with_what_is_right(make_project: MakeProject, setting: str, evidence: str) -> None:
    folder = make_project(pyproject(f"[tool.cannery]\n{setting}\n"))
    with pytest.raises(ConfigurationError) as raised:
        load(folder)
    assert evidence in raised.value.evidence
    assert setting.split(" ", maxsplit=1)[0] in raised.value.what


def test_broken_toml_is_refused_with_its_place(make_project: MakeProject) -> None:
    with pytest.raises(ConfigurationError, match="not valid TOML") as raised:
        load(make_project(pyproject("[tool.cannery\n")))
    assert "line 1" in raised.value.evidence


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
    with pytest.raises(ConfigurationError, match="CANNERY_STRIP='perhaps'"):
        resolve_settings(project, {}, {"CANNERY_STRIP": "perhaps"})


def test_a_script_alone_is_a_project(make_project: MakeProject) -> None:
    app = load(make_project(SCRIPT, folder="My Tool"))
    assert (app.name, app.entry, app.requirements) == ("my-tool", ScriptEntry(PurePosixPath("main.py")), None)


def test_requirements_are_found_beside_the_script(make_project: MakeProject) -> None:
    folder = make_project({**SCRIPT, "requirements.txt": ""})
    found = load(folder).requirements
    assert found is not None
    assert (found.path, found.kind) == (folder / "requirements.txt", "requirements")


def test_a_lock_goes_before_a_requirements_file(make_project: MakeProject) -> None:
    found = load(make_project({**SCRIPT, "requirements.txt": "", "uv.lock": ""})).requirements
    assert found is not None
    assert found.kind == "uv"


def test_a_console_script_needs_no_settings(make_project: MakeProject) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "Hello.App"\nversion = "1.2"\nscripts = {hello = "hello.cli:main"}\n',
        "src/hello/__init__.py": "",
        "src/hello/cli.py": "def main(): ...\n",
    }
    app = load(make_project(files))
    assert app.entry == FunctionEntry("hello", "hello.cli", "main")
    assert app.name == "hello-app"
    assert app.import_roots == (PurePosixPath("src"), PurePosixPath())
    assert app.image_roots == ("/app/src", "/app")


def test_a_package_with_main_needs_no_settings(make_project: MakeProject) -> None:
    app = load(make_project({"hello/__init__.py": "", "hello/__main__.py": "", "tests/__init__.py": ""}))
    assert app.entry == ModuleEntry("hello")


def test_of_several_scripts_the_one_named_like_the_project_is_taken(make_project: MakeProject) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "two"\nversion = "1"\nscripts = {one = "pkg:a", two = "pkg:b"}\n',
        "pkg/__init__.py": "def a(): ...\ndef b(): ...\n",
    }
    assert load(make_project(files)).entry == FunctionEntry("two", "pkg", "b")


def test_several_scripts_and_no_telling_which_is_an_error_that_lists_them(make_project: MakeProject) -> None:
    files = {
        "pyproject.toml": '[project]\nname = "other"\nversion = "1"\nscripts = {one = "pkg:a", two = "pkg:a"}\n',
        "pkg/__init__.py": "def a(): ...\n",
    }
    with pytest.raises(ProjectError, match="several scripts") as raised:
        load(make_project(files))
    assert raised.value.evidence == "one, two"


@pytest.mark.parametrize(
    ("entry", "evidence"),
    [
        ("mian.py", "did you mean 'main.py'?"),
        ("pkg:mian", "did you mean 'main'?"),
        ("pkg.missing:main", "no module pkg.missing"),
        ("pkg", "no __main__"),
        ("pgk", "did you mean 'pkg'?"),
        ("../main.py", "there is no file"),
    ],
)
def test_an_entry_point_that_is_not_there_is_refused(make_project: MakeProject, entry: str, evidence: str) -> None:
    files = pyproject(f'[tool.cannery]\nentry = "{entry}"\n')
    with pytest.raises(ConfigurationError, match="does not exist") as raised:
        load(make_project({**files, "pkg/__init__.py": "def main(): ...\n"}))
    assert evidence in raised.value.evidence


def test_nothing_to_run_is_an_error_that_says_what_was_looked_for(make_project: MakeProject) -> None:
    with pytest.raises(ProjectError, match="no entry point") as raised:
        load(make_project({"noxfile.py": "", "tasks.py": ""}))
    assert "[project.scripts]" in raised.value.evidence


def test_a_requirements_file_that_is_not_there_is_refused(make_project: MakeProject) -> None:
    with pytest.raises(ConfigurationError, match="no such file"):
        load(make_project(pyproject('[tool.cannery]\nrequirements = "reqs.txt"\n')))


def test_metadata_of_an_older_poetry_project_is_read(make_project: MakeProject) -> None:
    poetry = '[tool.poetry]\nname = "old"\nversion = "0.3"\nscripts = {old = "pkg:main"}\n'
    app = load(make_project({"pyproject.toml": poetry, "pkg/__init__.py": "def main(): ...\n"}))
    assert (app.distribution, app.metadata.version, app.entry) == ("old", "0.3", FunctionEntry("old", "pkg", "main"))


def test_poetry_s_requirements_need_a_lock(make_project: MakeProject) -> None:
    poetry = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = ">=3.11"\nfire = "*"\n'
    with pytest.raises(ProjectError, match="nothing pins") as raised:
        load(make_project(pyproject(poetry)))
    assert raised.value.step == "run: poetry lock"


def test_dependencies_that_only_the_backend_knows_are_asked_for(make_project: MakeProject) -> None:
    found = load(make_project(pyproject('[project]\nname = "x"\ndynamic = ["version", "dependencies"]\n'))).requirements
    assert found is not None
    assert found.kind == "project"


def test_a_dynamic_version_is_given_by_the_environment(make_project: MakeProject) -> None:
    folder = make_project(pyproject('[project]\nname = "x"\ndynamic = ["version"]\n'))
    assert load(folder).metadata.version is None
    assert load(folder, environ={"CANNERY_VERSION": "1.2.dev3"}).metadata.version == "1.2.dev3"


def test_an_empty_variable_counts_as_none(make_project: MakeProject) -> None:
    assert load(make_project(SCRIPT), environ={"CANNERY_TAG": ""}).settings.tag == "latest"


@pytest.mark.parametrize("setting", ['ports = ["65536"]', 'ports = ["0"]', 'volumes = ["data"]'])
def test_what_no_engine_takes_is_refused(make_project: MakeProject, setting: str) -> None:
    with pytest.raises(ConfigurationError, match="is wrong"):
        load(make_project(pyproject(f"[tool.cannery]\n{setting}\n")))

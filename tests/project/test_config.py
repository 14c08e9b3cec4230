"""The app that a project's files make: its entry point, its requirements, its metadata."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import ApplicationEntry, Found, FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.config import load
from tests.support.sources import newer_python

if TYPE_CHECKING:
    from tests.conftest import MakeProject

SCRIPT = {"main.py": "print('hello')\n"}


def pyproject(text: str) -> dict[str, str]:
    return {**SCRIPT, "pyproject.toml": text}


def test_broken_toml_is_refused_with_its_place(make_project: MakeProject) -> None:
    with pytest.raises(ConfigurationError, match="not valid TOML") as raised:
        load(make_project(pyproject("[tool.cannery\n")))
    assert "line 1" in raised.value.evidence


def test_a_script_alone_is_a_project(make_project: MakeProject) -> None:
    app = load(make_project(SCRIPT, folder="My Tool"))
    assert (app.name, app.entry, app.requirements) == ("my-tool", ScriptEntry(PurePosixPath("main.py")), None)
    assert app.found == (Found("entry", "main.py", "main.py"),)


def test_requirements_are_found_beside_the_script(make_project: MakeProject) -> None:
    folder = make_project({**SCRIPT, "requirements.txt": ""})
    found = load(folder).requirements
    assert found is not None
    assert (found.path, found.kind) == (folder / "requirements.txt", "requirements")
    assert Found("requirements", "requirements.txt", "requirements.txt") in load(folder).found


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
    app = load(make_project(files))
    assert app.entry == FunctionEntry("two", "pkg", "b")
    (note,) = app.notes
    assert note.startswith("stays out, as the image starts another script of the project: one; ")
    files["pyproject.toml"] += '[tool.cannery]\ncommands = { one = "one" }\n'
    assert not load(make_project(files)).notes


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


def test_poetry_s_backend_tells_the_requirements_of_a_project_that_it_builds(make_project: MakeProject) -> None:
    poetry = '[tool.poetry]\nname = "x"\n[tool.poetry.dependencies]\npython = ">=3.11"\nfire = "*"\n'
    built = '[build-system]\nrequires = ["poetry-core"]\nbuild-backend = "poetry.core.masonry.api"\n'
    requirements = load(make_project(pyproject(poetry + built))).requirements
    assert requirements is not None
    assert requirements.kind == "project"
    with pytest.raises(ProjectError, match="nothing pins"):
        load(make_project(pyproject(poetry.replace("[tool.poetry.d", "package-mode = false\n[tool.poetry.d") + built)))


def test_dependencies_that_only_the_backend_knows_are_asked_for(make_project: MakeProject) -> None:
    found = load(make_project(pyproject('[project]\nname = "x"\ndynamic = ["version", "dependencies"]\n'))).requirements
    assert found is not None
    assert found.kind == "project"


def test_a_dynamic_version_is_given_by_the_environment(make_project: MakeProject) -> None:
    folder = make_project(pyproject('[project]\nname = "x"\ndynamic = ["version"]\n'))
    assert load(folder).metadata.version is None
    assert load(folder, environ={"CANNERY_VERSION": "1.2.dev3"}).metadata.version == "1.2.dev3"


@pytest.mark.once
def test_an_application_in_a_newer_syntax_is_found(make_project: MakeProject) -> None:
    folder = make_project(
        {
            "main.py": "from fastapi import FastAPI\ntype Names = list[str]\napp = FastAPI()\n",
            "requirements.txt": "fastapi\nuvicorn\n",
            "pyproject.toml": f'[tool.cannery]\npython = "{newer_python()}"\n',
        }
    )
    assert isinstance(load(folder).main.entry, ApplicationEntry)

"""What is taken of a project's files where no setting says what starts, and in which order."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError
from cannery.project.app import (
    ApplicationEntry,
    Found,
    FunctionEntry,
    ModuleEntry,
    NamedEntry,
    ScriptEntry,
    Variable,
)
from cannery.project.config import load

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SERVER = {"requirements.txt": "gunicorn\n"}
FASTAPI = "from fastapi import FastAPI\napp = FastAPI()\n"
MAIN = {"main.py": "print('hello')\n"}
MANAGE = """
import os
import sys

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mysite.settings.production")

if __name__ == "__main__":
    from django.core.management import execute_from_command_line

    execute_from_command_line(sys.argv)
"""
SCRIPTS = '[project]\nname = "x"\nversion = "1"\nscripts = { x = "pkg:main" }\n'
PKG = {"pkg/__init__.py": "def main(): ...\n"}


def test_a_procfile_goes_before_all_else(make_project: MakeProject) -> None:
    processes = "# told\nweb: gunicorn main:app --workers 2\nworker: python -m pkg.work\nrelease: a && b\n"
    files = {**SERVER, **MAIN, **PKG, "pkg/work.py": "", "pyproject.toml": SCRIPTS, "Procfile": processes}
    app = load(make_project(files))
    assert app.main.entry == NamedEntry("gunicorn", "Procfile")
    assert app.main.arguments == ("main:app", "--workers", "2", "--bind", ("0.0.0.0:", Variable("PORT", "8000")))
    assert app.ports == ("8000",)
    assert [(each.name, each.entry) for each in app.commands] == [("worker", ModuleEntry("pkg.work"))]
    assert app.found[0] == Found("entry", "gunicorn main:app --workers 2 --bind 0.0.0.0:${PORT:-8000}", "Procfile")
    assert app.found[2] == Found("commands.release", "not taken: '&&' is for a shell", "Procfile")


def test_a_worker_is_what_an_app_without_a_server_mainly_is(make_project: MakeProject) -> None:
    processes = "beat: celery -A pkg beat\nworker: celery -A pkg worker\n"
    app = load(make_project({**SERVER, **PKG, "Procfile": processes}))
    assert app.main.arguments == ("-A", "pkg", "worker")
    assert [each.name for each in app.commands] == ["beat"]


def test_processes_of_which_none_is_the_main_one_are_listed_with_the_settings_for_one(
    make_project: MakeProject,
) -> None:
    with pytest.raises(ProjectError, match="names several processes") as raised:
        load(make_project({**SERVER, **MAIN, "Procfile": "clock: python clock.py --fast\nmail: python mail.py\n"}))
    assert raised.value.evidence == "clock: python clock.py --fast\nmail: python mail.py"
    assert raised.value.step.endswith('[tool.cannery]  entry = "clock.py"  args = ["--fast"]')


@pytest.mark.parametrize(
    "process",
    [
        "gunicorn main:app -b 0.0.0.0:$PORT",
        "gunicorn main:app --bind=0.0.0.0:$PORT",
        "gunicorn main:app -b0.0.0.0:$PORT",
        "exec poetry run gunicorn main:app --bind 0.0.0.0:$PORT",
        "uv run --frozen gunicorn main:app --bind 0.0.0.0:${PORT:-8000}",
        "env A=1 /usr/bin/gunicorn main:app -b 0.0.0.0:$PORT",
    ],
)
def test_a_server_that_is_told_an_address_is_told_no_other(make_project: MakeProject, process: str) -> None:
    app = load(make_project({**SERVER, "Procfile": f"web: {process}\n"}))
    assert isinstance(app.main.entry, NamedEntry)
    assert app.main.entry.name == "gunicorn"
    assert app.main.arguments[0] == "main:app"
    assert len(app.main.arguments) == 2 + ("--bind " in process or "-b " in process)
    assert app.ports == ("8000",)


def test_a_server_reads_its_own_file_for_the_address(make_project: MakeProject) -> None:
    files = {**SERVER, "Procfile": "web: gunicorn main:app\n", "gunicorn.conf.py": "bind = ['0.0.0.0:9000']\n"}
    assert load(make_project(files)).main.arguments == ("main:app",)


def test_a_process_that_needs_a_shell_is_refused_with_the_settings_that_do_without(make_project: MakeProject) -> None:
    files = {**SERVER, "manage.py": "print(1)", "Procfile": "web: python manage.py migrate && gunicorn shop.wsgi\n"}
    with pytest.raises(ConfigurationError, match="needs a shell") as raised:
        load(make_project(files))
    assert raised.value.step.endswith(
        '[tool.cannery]  entry = "gunicorn"  args = ["shop.wsgi"]  commands = { before = "python manage.py migrate" }'
    )


def test_console_scripts_go_before_a_dockerfile_unless_they_are_several(make_project: MakeProject) -> None:
    files = {**PKG, "pyproject.toml": SCRIPTS, "Dockerfile": 'FROM x\nCMD ["python", "-m", "http.server"]\n'}
    assert load(make_project(files)).main.entry == FunctionEntry("x", "pkg", "main")
    files["pyproject.toml"] = SCRIPTS.replace("x = ", 'y = "pkg:main", z = ')
    app = load(make_project(files))
    assert (app.main.entry, app.found[0].source) == (ModuleEntry("http.server"), "Dockerfile")


@pytest.mark.parametrize("command", ["nginx -g x", "./start.sh", "bash", "node x.js"])
def test_a_dockerfile_that_starts_no_python_is_no_hindrance(make_project: MakeProject, command: str) -> None:
    files = {**SERVER, "Dockerfile": f"FROM x\nCMD {command}\n"}
    assert load(make_project({**files, **MAIN}, folder="with")).main.entry == ScriptEntry(PurePosixPath("main.py"))
    with pytest.raises((ConfigurationError, ProjectError), match="Dockerfile"):
        load(make_project(files, folder="without"))


def test_what_a_dockerfile_does_besides_is_told_where_something_else_is_taken(make_project: MakeProject) -> None:
    files = {
        **SERVER,
        **MAIN,
        "migrate.py": "",
        "Dockerfile": "FROM x\nCMD python migrate.py && gunicorn main:app -w 2\n",
    }
    app = load(make_project(files))
    assert app.main.entry == ScriptEntry(PurePosixPath("main.py"))
    (note,) = app.notes
    assert (
        "has a command that needs a shell, and the image has none: python migrate.py && gunicorn main:app -w 2" in note
    )
    assert note.endswith('args = ["main:app", "-w", "2"]  commands = { before = "python migrate.py" }')


def test_a_django_project_has_its_application_and_a_command(make_project: MakeProject) -> None:
    wsgi = "from django.core.wsgi import get_wsgi_application\napplication = get_wsgi_application()\n"
    files = {
        **SERVER,
        "manage.py": MANAGE,
        "mysite/__init__.py": "",
        "mysite/settings/__init__.py": "",
        "mysite/settings/production.py": "",
        "mysite/wsgi.py": wsgi,
        "mysite/asgi.py": wsgi.replace("wsgi", "asgi"),
    }
    app = load(make_project(files))
    assert isinstance(app.main.entry, ApplicationEntry)
    references = [each.reference for each in app.main.entry.candidates]
    assert references == ["mysite.wsgi:application", "mysite.asgi:application"]
    assert [(each.name, each.entry) for each in app.commands] == [("manage", ScriptEntry(PurePosixPath("manage.py")))]
    make_project({"mysite/settings/production.py": "ASGI_APPLICATION = 'mysite.asgi.application'\n"})
    asgi_first = load(make_project({})).main.entry
    assert isinstance(asgi_first, ApplicationEntry)
    assert asgi_first.candidates[0].reference == "mysite.asgi:application"


@pytest.mark.parametrize(
    "place", ["main.py", "app.py", "src/main.py", "shop/main.py", "shop/__init__.py", "srv/asgi.py"]
)
def test_an_application_is_found_in_modules_with_usual_names(make_project: MakeProject, place: str) -> None:
    entry = load(make_project({**SERVER, place: FASTAPI, "pyproject.toml": ""})).main.entry
    assert isinstance(entry, ApplicationEntry)
    assert entry.candidates[0].place == f"{place}:2"
    module = place.removeprefix("src/").removesuffix(".py").removesuffix("/__init__").replace("/", ".")
    assert entry.candidates[0].module == module
    assert entry.told == f"{place} defines app and starts nothing"


def test_a_script_that_starts_its_application_itself_is_run(make_project: MakeProject) -> None:
    start = "if __name__ == '__main__':\n    uvicorn.run('main:app')\n"
    app = load(make_project({**SERVER, "main.py": f"import uvicorn\n{FASTAPI}{start}"}))
    assert app.main.entry == ScriptEntry(PurePosixPath("main.py"))
    development = load(make_project({"main.py": f"{FASTAPI}if __name__ == '__main__':\n    app.run(debug=True)\n"}))
    assert isinstance(development.main.entry, ApplicationEntry)
    assert development.main.entry.serves_itself


@pytest.mark.parametrize("setting", ["", '[tool.cannery]\nentry = "main.py"\n'])
def test_a_script_that_only_defines_things_is_refused(make_project: MakeProject, setting: str) -> None:
    files = {"main.py": "import os\n\n\ndef work(): ...\n\n\ndef main(): ...\n", "pyproject.toml": setting}
    with pytest.raises(ProjectError, match=r"main.py defines main, work and starts nothing") as raised:
        load(make_project(files))
    assert raised.value.step.endswith('entry = "main:main"')


def test_an_application_is_no_function_to_be_called(make_project: MakeProject) -> None:
    setting = '[tool.cannery]\nentry = "main:app"\nargs = ["--workers", "2"]\n'
    app = load(make_project({**SERVER, "main.py": FASTAPI, "pyproject.toml": setting}))
    assert isinstance(app.main.entry, ApplicationEntry)
    assert app.main.entry.told == "main:app is an application, and no function"
    assert app.main.entry.otherwise == FunctionEntry("main", "main", "app")


def test_commands_are_the_projects_own_or_a_dependency_s(make_project: MakeProject) -> None:
    commands = {
        "a": "main.py x",
        "b": "python -u -X dev main.py",
        "c": "pkg:main 1",
        "d": "python3 -m pkg.part",
        "e": "celery -A pkg",
    }
    table = "".join(f'{name} = "{text}"\n' for name, text in commands.items())
    settings = f'[tool.cannery]\nentry = "main.py"\n[tool.cannery.commands]\n{table}'
    app = load(make_project({**SERVER, **MAIN, **PKG, "pkg/part.py": "", "pyproject.toml": settings}))
    script = ScriptEntry(PurePosixPath("main.py"))
    assert [(each.name, each.entry, each.arguments) for each in app.commands] == [
        ("a", script, ("x",)),
        ("b", script, ()),
        ("c", FunctionEntry("pkg", "pkg", "main"), ("1",)),
        ("d", ModuleEntry("pkg.part"), ()),
        ("e", NamedEntry("celery", "commands.e"), ("-A", "pkg")),
    ]


@pytest.mark.parametrize(
    ("name", "text", "what"),
    [
        ("x", "main.py | cat", "needs a shell"),
        ("x", "python -c pass", "does not exist"),
        ("x", "mian.py", "does not exist"),
        ("python", "main.py", "can't be called"),
        ("start", "main.py", "can't be called"),
        ("'a b'", "main.py", "commands"),
    ],
)
def test_commands_that_can_t_be_are_refused(make_project: MakeProject, name: str, text: str, what: str) -> None:
    settings = f'[tool.cannery]\nentry = "main.py"\n[tool.cannery.commands]\n{name} = "{text}"\n'
    with pytest.raises(ConfigurationError, match=what):
        load(make_project({**MAIN, "pyproject.toml": settings}))


def test_what_nothing_can_bring_is_refused_at_once(make_project: MakeProject) -> None:
    settings = '[tool.cannery]\nentry = "{}"\n'
    with pytest.raises(ConfigurationError, match="'gunicorn' does not exist"):
        load(make_project({**MAIN, "pyproject.toml": settings.format("gunicorn")}))
    found = load(make_project({"pyproject.toml": settings.format("http.server")}))
    assert found.main.entry == ModuleEntry("http.server")
    found = load(make_project({"pyproject.toml": settings.format("json.tool:main")}))
    assert found.main.entry == FunctionEntry("tool", "json.tool", "main")


def test_arguments_stand_in_a_setting_of_their_own(make_project: MakeProject) -> None:
    settings = '[tool.cannery]\nentry = "gunicorn main:app -w 2"\n'
    with pytest.raises(ConfigurationError, match="has arguments") as raised:
        load(make_project({**SERVER, **MAIN, "pyproject.toml": settings}))
    assert raised.value.step == 'write it as  entry = "gunicorn"  args = ["main:app", "-w", "2"]'


def test_what_only_dependencies_tell_is_left_open_until_they_are_asked(make_project: MakeProject) -> None:
    settings = '[tool.cannery]\nentry = "gunicorn"\ncommands = { a = "main.py", b = "celery" }\n'
    app = load(make_project({**SERVER, **MAIN, "pyproject.toml": settings}))
    assert app.entries == (ScriptEntry(PurePosixPath("main.py")),)


@pytest.mark.slow
@pytest.mark.parametrize("others", [("test_convert.py",), ("utils.py", "conftest.py", "setup.py")])
def test_tests_and_helpers_beside_the_only_script_are_no_other_scripts(
    make_project: MakeProject, others: tuple[str, ...]
) -> None:
    app = load(make_project({"convert.py": "print(1)", **dict.fromkeys(others, "print(2)")}))
    assert app.main.entry == ScriptEntry(PurePosixPath("convert.py"))


def test_a_script_called_as_a_test_is_what_runs_where_there_is_no_other(make_project: MakeProject) -> None:
    app = load(make_project({"test.py": "print(1)", "tasks.py": "print(2)"}))
    assert app.main.entry == ScriptEntry(PurePosixPath("test.py"))


@pytest.mark.parametrize("place", ["shop", "acme/api", "src/acme/shop/web"])
def test_an_application_lies_in_a_package_however_deep_that_is(make_project: MakeProject, place: str) -> None:
    app = load(make_project({"requirements.txt": "fastapi\n", f"{place}/main.py": FASTAPI}))
    assert isinstance(app.main.entry, ApplicationEntry)
    assert app.main.entry.candidates[0].reference == f"{place.removeprefix('src/').replace('/', '.')}.main:app"


def test_the_most_usual_module_has_the_application_and_two_of_one_name_are_listed(make_project: MakeProject) -> None:
    files = {"requirements.txt": "fastapi\n", "core/server.py": FASTAPI, "shop/main.py": FASTAPI}
    app = load(make_project(files))
    assert app.found[0] == Found("entry", "the application shop.main:app", "shop/main.py")
    with pytest.raises(ProjectError, match="several packages have an application") as raised:
        load(make_project({**files, "core/main.py": FASTAPI}))
    assert raised.value.evidence == "core.main:app, shop.main:app"
    assert raised.value.step.endswith('entry = "core.main:app"')

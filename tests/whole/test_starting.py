"""What an image starts, with no settings and with them: built from real wheels, run without an engine, and asked."""

from __future__ import annotations

import json
import subprocess
import sys
import time
import urllib.error
import urllib.request
from contextlib import contextmanager
from typing import TYPE_CHECKING

import pytest

from tests.support.command import assert_refused, cannery
from tests.support.commands_project import COMMANDS, SAID
from tests.support.ports import free_port
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

FLASK = {
    "requirements.txt": "flask\ngunicorn\n",
    "shop.py": """
        import os
        from flask import Flask

        app = Flask(__name__)


        @app.route("/")
        def root():
            return os.environ.get("GREETING", "hello from Flask")


        @app.cli.command("stock")
        def stock():
            print("nothing left")
        """,
}
DJANGO = {
    "requirements.txt": "django\ngunicorn\n",
    "manage.py": """
        import os
        import sys


        def main():
            os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
            from django.core.management import execute_from_command_line

            execute_from_command_line(sys.argv)


        if __name__ == "__main__":
            main()
        """,
    "site_/__init__.py": "",
    "site_/settings.py": """
        SECRET_KEY = "no secret"
        ALLOWED_HOSTS = ["*"]
        ROOT_URLCONF = "site_.urls"
        WSGI_APPLICATION = "site_.wsgi.application"
        """,
    "site_/urls.py": """
        from django.http import HttpResponse
        from django.urls import path

        urlpatterns = [path("", lambda request: HttpResponse("hello from Django"))]
        """,
    "site_/wsgi.py": """
        import os
        from django.core.wsgi import get_wsgi_application

        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "site_.settings")
        application = get_wsgi_application()
        """,
}
STARLETTE = {
    "requirements.txt": "starlette\nuvicorn\n",
    "main.py": """
        from starlette.applications import Starlette
        from starlette.responses import PlainTextResponse
        from starlette.routing import Route


        async def root(request):
            return PlainTextResponse("hello from Starlette")


        app = Starlette(routes=[Route("/", root)])
        """,
}


@contextmanager
def served(folder: Path, *flags: str) -> Iterator[str]:
    """The URL of the program that the image of ``folder`` starts; the image says by ``PORT`` where it's to listen."""
    port = free_port()
    (folder / "pyproject.toml").write_text(f'[tool.cannery]\nenv = {{ PORT = "{port}" }}\n', encoding="utf-8")
    command = [sys.executable, "-m", "cannery", "run", *flags]
    with subprocess.Popen(command, cwd=folder, stderr=subprocess.PIPE) as program:
        try:
            yield f"http://127.0.0.1:{port}/"
        finally:
            program.terminate()
            program.communicate(timeout=60)


def answer_of(url: str) -> str:
    """What the server answers, as soon as there is one."""
    deadline = time.monotonic() + 300
    while True:
        try:
            with urllib.request.urlopen(url) as response:
                return str(response.read().decode())
        except urllib.error.URLError:
            assert time.monotonic() < deadline, "it doesn't answer"
            time.sleep(0.1)


def found(folder: Path, what: str = "entry") -> tuple[str, str]:
    """What was found, as the result of a build says it, and where."""
    report = json.loads(cannery("image", "--json", cwd=folder).stdout)
    return next((each["value"], each["source"]) for each in report["found"] if each["what"] == what)


def test_an_asgi_application_is_served_by_the_server_that_is_there(make_project: MakeProject) -> None:
    folder = make_project(STARLETTE)
    with served(folder) as url:
        assert answer_of(url) == "hello from Starlette"
    port = url.rpartition(":")[2].rstrip("/")
    assert found(folder) == ("uvicorn --host 0.0.0.0 --port ${PORT:-8000} main:app", "main.py")
    report = json.loads(cannery("image", "--json", cwd=folder).stdout)
    assert report["config"]["ExposedPorts"] == {f"{port}/tcp": {}}


def test_a_wsgi_application_is_served_in_an_image_without_what_no_import_reaches(make_project: MakeProject) -> None:
    with served(make_project(FLASK), "--recipe=tiny") as url:
        assert answer_of(url) == "hello from Flask"


def test_a_django_project_is_served_and_managed(make_project: MakeProject) -> None:
    folder = make_project(DJANGO)
    with served(folder) as url:
        assert answer_of(url) == "hello from Django"
    done = cannery("run", "--command", "manage", "--", "check", cwd=folder)
    assert "System check identified no issues" in done.stdout, done


def test_a_procfile_says_what_runs_and_its_other_processes_are_commands(make_project: MakeProject) -> None:
    processes = "web: GREETING=hi gunicorn --threads 2 shop:app --bind 0.0.0.0:$PORT\nstock: flask --app shop stock\n"
    folder = make_project({**FLASK, "Procfile": processes})
    with served(folder) as url:
        assert answer_of(url) == "hi"
    assert found(folder)[1] == "Procfile"
    assert cannery("run", "--command=stock", cwd=folder).stdout == "nothing left\n"


def test_a_dockerfile_says_what_runs_and_with_which_variables(make_project: MakeProject) -> None:
    lines = (
        "FROM python:3.12-slim\nENV FLASK_APP=shop GREETING='from a file'\nCMD flask run --host 0.0.0.0 --port $PORT\n"
    )
    folder = make_project({**FLASK, "Dockerfile": lines})
    with served(folder) as url:
        assert answer_of(url) == "from a file"
    assert found(folder, "env") == ("FLASK_APP=shop, GREETING=from a file", "Dockerfile")


@pytest.mark.parametrize(("entry", "args"), [("flask", ["--app", "shop", "stock"]), ("flask.cli:main", ["--version"])])
def test_a_dependency_s_script_and_function_are_started(make_project: MakeProject, entry: str, args: list[str]) -> None:
    settings = f"[tool.cannery]\nentry = {json.dumps(entry)}\nargs = {json.dumps(args)}\n"
    done = cannery("run", cwd=make_project({**FLASK, "pyproject.toml": settings}))
    assert done.code == 0, done
    assert ("nothing left" if "stock" in args else "Flask 3") in done.stdout


def test_a_script_of_a_wheel_that_is_no_entry_point_is_started(make_project: MakeProject, tmp_path: Path) -> None:
    script = b"#!python\nimport sys\nimport oldtool\n\nprint(sys.argv[1:], oldtool.answer)\n"
    make_wheel(tmp_path, "oldtool", files={"oldtool-1.0.data/scripts/old-tool": script})
    settings = '[tool.cannery]\nentry = "old-tool"\nargs = ["x"]\ncommands = { again = "old-tool y" }\n'
    folder = make_project({"requirements.txt": "oldtool\n", "pyproject.toml": settings})
    for recipe in ("scratch", "tiny"):
        done = cannery("run", f"--recipe={recipe}", cwd=folder, **only_from(tmp_path))
        assert done.stdout == "['x'] 42\n", done
        done = cannery("run", f"--recipe={recipe}", "--command=again", cwd=folder, **only_from(tmp_path))
        assert done.stdout == "['y'] 42\n", done


RUNNER = b"""\
import importlib
import sys
from pathlib import Path


def run():
    path = Path(sys.argv[1]).resolve()
    names, folder = [path.stem], path.parent
    while (folder / "__init__.py").is_file():
        names.insert(0, folder.name)
        folder = folder.parent
    sys.path.insert(0, str(folder))
    print(importlib.import_module(".".join(names)).__name__)
"""


def test_a_module_that_an_argument_names_by_its_path_is_found_in_its_package(
    make_project: MakeProject, tmp_path: Path
) -> None:
    points = b"[console_scripts]\nrunner = runner:run\n"
    make_wheel(tmp_path, "runner", files={"runner.py": RUNNER, "runner-1.0.dist-info/entry_points.txt": points})
    files = {"app/__init__.py": "", "app/main.py": "from .other import x\n", "app/other.py": "x = 1\n"}
    start = 'FROM python:3.9\nWORKDIR /code\nCMD ["runner", "/code/app/main.py"]\n'
    folder = make_project({**files, "requirements.txt": "runner\n", "Dockerfile": start})
    done = cannery("run", cwd=folder, **only_from(tmp_path))
    assert done.stdout == "app.main\n", done


@pytest.mark.parametrize("flags", [["--recipe=scratch"], ["--recipe=tiny"], ["--compile"]])
def test_several_commands_lie_in_one_image(make_project: MakeProject, flags: list[str]) -> None:
    folder = make_project(COMMANDS)
    for name, (code, said) in SAID.items():
        command = [] if name is None else [f"--command={name}"]
        done = cannery("run", *flags, *command, "--", "more", cwd=folder)
        assert (done.code, done.stdout) == (code, said), done


def test_a_command_that_is_not_there_is_refused(make_project: MakeProject) -> None:
    message = assert_refused(cannery("run", "--command=migrat", cwd=make_project(COMMANDS)), 2)
    assert "did you mean 'migrate'?" in message

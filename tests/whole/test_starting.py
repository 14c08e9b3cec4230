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

from tests.support.command import cannery
from tests.support.ports import free_port

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

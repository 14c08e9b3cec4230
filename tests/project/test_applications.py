"""What a script does, and which applications modules define, told by sources alone."""

from __future__ import annotations

import ast
from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.project.applications import applications, read_script
from cannery.project.own_code import OwnCode

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


def script(*lines: str) -> ast.Module:
    return ast.parse("\n".join(lines))


@pytest.mark.parametrize(
    "lines",
    [
        ("def main(): ...",),
        ("import typer", "app = typer.Typer()", "@app.command()", "def hello(): ..."),
        ('"""It is told."""', "class A: ..."),
        ("try:", "    import x", "except ImportError:", "    x = None", "async def main(): ..."),
        ("if TYPE_CHECKING:", "    import x", "def f(): ..."),
    ],
)
def test_a_script_that_only_defines_things_starts_nothing(lines: tuple[str, ...]) -> None:
    assert read_script(script(*lines)).starts_nothing


@pytest.mark.parametrize(
    "lines",
    [
        (),
        ("import server",),
        ("LIMIT = 3",),
        ("def main(): ...", "main()"),
        ("def main(): ...", "code = main()"),
        ("def main(): ...", "if __name__ == '__main__':", "    raise SystemExit(main())"),
        ("def main(): ...", "if __name__ == '__main__':", "    sys.exit(main())"),
        ("def main(): ...", "for each in range(3):", "    print(each)"),
        ("def main(): ...", "while True: main()"),
    ],
)
def test_others_are_run(lines: tuple[str, ...]) -> None:
    assert not read_script(script(*lines)).starts_nothing


def test_calls_that_set_something_up_start_nothing() -> None:
    reading = read_script(script("app = FastAPI()", "app.include_router(x)", "logging.basicConfig()", "load_dotenv()"))
    assert not reading.starting
    assert not reading.acts
    assert read_script(script("app = FastAPI()", "uvicorn.run(app)")).starting
    assert read_script(script("app = FastAPI()", "serve_forever(app)")).starting


def found(own: OwnCode, name: str = "main.py") -> list[tuple[str, str, bool]]:
    return [(each.reference, each.origin, each.factory) for each in applications(own, own.folder / name, usual=True)]


@pytest.mark.parametrize(
    ("source", "origin"),
    [
        ("from fastapi import FastAPI\napp = FastAPI()\n", "fastapi.FastAPI"),
        ("import fastapi as f\napp: f.FastAPI = f.FastAPI()\n", "fastapi.FastAPI"),
        ("import a.b\napp = a.b.C()\n", "a.b.C"),
        ("from x import wrap\nfrom y import App\ninner = App()\napp = wrap(inner)\n", "x.wrap"),
        ("import dash\nd = dash.Dash()\napp = d.server\n", "dash.Dash.server"),
        ("import p\nconfig = p.Configurator()\napp = config.make_wsgi_app()\n", "p.Configurator.make_wsgi_app"),
        ("from y import App\nclass Mine(App): ...\napp = Mine()\n", "y.App"),
        ("class Mine:\n    def __call__(self, environ, start_response): ...\napp = Mine()\n", "wsgi"),
        ("async def app(scope, receive, send): ...\n", "asgi"),
        ("def app(environ, start_response): ...\n", "wsgi"),
        ("from other import thing as app\n", "z.Z"),
        ("from other import build\napp = build(1)\n", "z.Z"),
        ("import other\napp = other.build(1)\n", "z.Z"),
        ("from package.inner import app\n", "z.Z"),
    ],
)
def test_what_makes_an_application_is_followed_through_the_project(
    make_project: MakeProject, source: str, origin: str
) -> None:
    files = {
        "main.py": source,
        "other.py": "import z\nthing = z.Z()\ndef build(n):\n    made = z.Z()\n    made.add(n)\n    return made\n",
        "package/__init__.py": "",
        "package/inner.py": "from ..package import deeper\nfrom .deeper import it as app\n",
        "package/deeper.py": "import z\nit = z.Z()\n",
    }
    own = OwnCode(make_project(files), (PurePosixPath(),))
    assert found(own) == [("main:app", origin, False)]


@pytest.mark.parametrize(
    "source",
    [
        "def app(request): ...\n",
        "def app(): ...\n",
        "app = 3\n",
        "app = app\n",
        "from nowhere import *\n",
        "def a():\n    return b()\ndef b():\n    return a()\napp = a()\n",
        "from fastapi import APIRouter\napi = APIRouter()\n",
    ],
)
def test_what_shows_no_application_is_none(make_project: MakeProject, source: str) -> None:
    assert found(OwnCode(make_project({"main.py": source}), (PurePosixPath(),))) == []


def test_a_function_that_makes_one_is_one_if_it_asks_for_nothing(make_project: MakeProject) -> None:
    source = "from y import App\ndef create_app({}):\n    app = App()\n    return app\n"
    for arguments in ("", "config=None", "*, config=None"):
        own = OwnCode(make_project({"main.py": source.format(arguments)}), (PurePosixPath(),))
        assert found(own) == [("main:create_app", "y.App", True)]
    own = OwnCode(make_project({"main.py": source.format("config")}), (PurePosixPath(),))
    assert found(own) == []

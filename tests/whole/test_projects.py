"""Projects as people have them, with no settings: their images do what their virtual environments do.

Each lies in a folder of ``projects``. Those that take long to install are ``heavy``: ``pytest -m heavy`` runs them.
"""

from __future__ import annotations

import json
import shutil
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.command import cannery

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

pytestmark = pytest.mark.slow

FOLDER = Path(__file__).with_name("projects")


class Sample(NamedTuple):
    """A project, and what its program is to answer."""

    answers: Mapping[str, str]  # arguments or an address -> what the answer has in it
    folder: str = "."  # the one of its folders that is built
    light: bool = False  # it's quick to install


PROJECTS = {
    "aiohttp_server": Sample({"http://:18422/?name=Ann": '{"hello": "Ann"}'}),
    "celery_tasks": Sample({"-A jobs call jobs.tasks.add --args [1,2]": "-", "-A jobs inspect --help": "Usage"}),
    "click_cli": Sample({"hello Ann --language de": "Grüß dich, Ann!", "--version": "2.3.4"}, light=True),
    "django_admin": Sample(
        {
            "http://:8000/polls/": "QUESTION!",
            "http://:8000/blog/": "blog/site.css",
            "http://:8000/static/blog/site.css": "navy",
            "http://:8000/admin/login/": "Django-Verwaltung",
        }
    ),
    "dockerfile_cmd": Sample({"http://:18418/": "Good day", "http://:18418/static/site.js": "console"}),
    "fastapi_workers": Sample(
        {
            "http://:18402/items/2": "table",
            "http://:18402/items/9": "no such item",
            "http://:18402/openapi.json": "Items",
        }
    ),
    "flask_templates": Sample({"http://:8000/": "Hello, Ann!", "http://:8000/static/style.css": "teal"}),
    "grpc_service": Sample({"ask": "SERVING"}),
    "httpx_client": Sample({"": "zwei"}),
    "matplotlib_chart": Sample({"": "svg True", "pdf": "pdf True"}),
    "opentelemetry_traced": Sample({"": "outer traced"}),
    "pandas_sklearn": Sample({"": "RandomForestClassifier"}),
    "pep723_script": Sample({"": "pears"}, light=True),
    "pillow_thumbnails": Sample({"": "WEBP (64, 64)", "TIFF": "TIFF (64, 64)"}),
    "poetry_project": Sample({"": "0.5.1", "fr": "dimanche"}),
    "procfile_gunicorn": Sample({"http://:18417/prices/pear": "0.7", "http://:18417/prices/plum": "no plum"}),
    "pydantic_settings_cli": Sample({"--database.port 7": '"port":7', "--help": "configured", "--owner no": ""}),
    "rich_cli": Sample({"--size 2000000": "2.0 MB", "--help": "Show things."}),
    "setup_cfg": Sample({"show": "blue", "--version": "1.0.9"}),
    "sqlalchemy_driver": Sample({"": "psycopg cannot connect"}),
    "src_plugins": Sample({"x": "hello from extra"}, light=True),
    "streamlit_app": Sample({"http://:18405/_stcore/health": "ok", "http://:18405/": "Streamlit"}),
    "textual_app": Sample({"--try": "count 1"}),
    "typer_cli": Sample({"add hello --form loud": "HELLO", "--help": "Add a note."}),
    "uv_workspace": Sample({"pear": "core 0.3, web 0.4"}, folder="packages/web", light=True),
}


def test_each_project_is_tried() -> None:
    assert sorted(path.name for path in FOLDER.iterdir()) == list(PROJECTS)


def cases() -> Iterator[object]:
    """Each project by two recipes: one with everything, one without what no import reaches.

    What is reached differs from Python to Python; what there is doesn't.
    """
    for name, sample in PROJECTS.items():
        for recipe, once in (("scratch", [pytest.mark.once]), ("tiny", [])):
            marks = once if sample.light else [*once, pytest.mark.heavy]
            yield pytest.param(name, recipe, marks=marks, id=f"{name}-{recipe}")


@pytest.mark.parametrize(("name", "recipe"), [*cases()])
def test_a_project_with_no_settings_does_the_same_in_its_image(name: str, recipe: str, tmp_path: Path) -> None:
    sample = PROJECTS[name]
    folder = shutil.copytree(FOLDER / name, tmp_path / name) / sample.folder
    made = cannery("image", "--check", "--recipe", recipe, cwd=folder)
    assert made.code == 0, made
    for question, said in sample.answers.items():
        outcome = cannery("check", "--recipe", recipe, "--json", cwd=folder, CANNERY_CHECK=question or " ")
        answers = json.loads(outcome.stdout)["answers"]
        assert [each["differences"] for each in answers] == [[]], outcome.stderr
        assert said in _said(answers[0]["image"])


def _said(answer: Mapping[str, Any]) -> str:
    """All that a program wrote and answered."""
    return "\n".join((answer["output"], answer["errors"], *(each["body"] for each in answer["responses"])))

"""Programs that load modules by name are frozen and answer with nothing about them in their settings."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

import pytest

from tests.executable.onefile.conftest import freeze, write_project
from tests.support.ports import free_port
from tests.support.repository import ROOT

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("own_cache")]

FASTAPI = {
    "pyproject.toml": """
        [project]
        name = "served"
        version = "1"
        dependencies = ["fastapi", "uvicorn"]
        """,
    "main.py": """
        import os
        from importlib.metadata import version

        import uvicorn
        from fastapi import FastAPI

        app = FastAPI()
        versions = [version(name) for name in ("anyio", "fastapi", "h11", "starlette")]

        @app.get("/")
        def root(name: str = "you"):
            return f"hello {name}"

        if __name__ == "__main__":
            uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]))
        """,
}
FLASK = {
    "pyproject.toml": """
        [project]
        name = "served"
        version = "1"
        dependencies = ["flask", "jinja2", "sqlalchemy"]

        [tool.cannery]
        resources = ["templates"]
        """,
    "templates/page.html": "hello {{ name }}",
    "main.py": """
        import os

        from flask import Flask, render_template
        from sqlalchemy import create_engine, text

        app = Flask(__name__)

        @app.get("/")
        def root():
            with create_engine("sqlite://").connect() as connection:
                return render_template("page.html", name=connection.execute(text("select 'you'")).scalar())

        if __name__ == "__main__":
            app.run(port=int(os.environ["PORT"]))
        """,
}


def answer(program: Path, path: str, *arguments: str, port: int) -> str:
    """What the program answers; it's stopped then, and has a second for it on a machine with nothing else to do."""
    command = [str(program), *arguments]
    with subprocess.Popen(command, env={**os.environ, "PORT": str(port)}, stderr=subprocess.PIPE, text=True) as process:
        try:
            return _asked(process, f"http://127.0.0.1:{port}{path}")
        finally:
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=20)


def _asked(process: subprocess.Popen[str], url: str) -> str:
    for _ in range(600):
        try:
            with urlopen(url, timeout=5) as response:
                return str(response.read().decode())
        except URLError:
            assert process.poll() is None, process.stderr.read() if process.stderr else ""
            time.sleep(0.1)
    pytest.fail(f"no answer from {url}")


@pytest.mark.parametrize("files", [FASTAPI, FLASK], ids=["fastapi uvicorn", "flask jinja2 sqlalchemy"])
def test_frameworks(files: dict[str, str], tmp_path: Path) -> None:
    folder = freeze(write_project(tmp_path, files), "--form=folder").path
    assert "hello you" in answer(folder / "served", "/", port=free_port())


@pytest.mark.parametrize(
    ("example", "path", "said"),
    [("random_api", "/number", '"lower": 1'), ("demo_server", "/books?author=verne", "erne")],
)
def test_examples(example: str, path: str, said: str, tmp_path: Path) -> None:
    project = shutil.copytree(ROOT / "examples" / example, tmp_path / example)
    name = example.replace("_", "-")
    port = free_port()
    folder = freeze(project, "--form=folder").path
    assert said in answer(folder / name, path, "--host=127.0.0.1", f"--port={port}", "--workers=2", port=port)


def test_the_sample_with_polars_and_fire(tmp_path: Path) -> None:
    names = ("pyproject.toml", "main.py", "requirements.txt", "my_project")
    for name in names:
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, tmp_path / name)
    frozen = freeze(tmp_path, "--form=folder")
    done = subprocess.run([frozen.path / "my-project", "show-deps"], capture_output=True, text=True, check=False)
    assert done.stdout.startswith("polars "), done.stderr


DATA = {
    "pyproject.toml": "[project]\nname = 'reader'\nversion = '1'\ndependencies = ['six']\n"
    "[tool.cannery]\nkeep-sources = ['six', 'parts.told']\n",
    "main.py": """
        import importlib.metadata
        import inspect

        import parts.told
        import six
        from six.moves import range

        import parts

        print([*range(2)], parts.HEADER, parts.LIBRARY.cos is not None, importlib.metadata.packages_distributions())
        print(inspect.getsource(parts.told), "class Module_six_moves_urllib" in inspect.getsource(six))
        __import__("".join(["colo", "rsys"]))
        """,
    "parts/__init__.py": """
        import ctypes
        from pathlib import Path

        HEADER = Path(__file__).with_name("form.h").read_text()
        LIBRARY = ctypes.CDLL(str(Path(__file__).with_name("libanswer.so")))
        """,
    "parts/told.py": "x = 1\n",
    "parts/form.h": "int x;",
}


def test_what_a_package_opens_by_its_path_is_there_and_so_is_what_others_finders_find(tmp_path: Path) -> None:
    folder = write_project(tmp_path / "reader", DATA)
    with Path("/proc/self/maps").open(encoding="utf-8") as maps:
        mathematics = next(line.split()[-1] for line in maps if "/libm." in line)
    shutil.copy(mathematics, folder / "parts/libanswer.so")
    program = freeze(folder, "--form", "folder").path
    done = subprocess.run([program / "reader"], capture_output=True, text=True, check=False)
    assert done.stdout == "[0, 1] int x; True {'six': ['six']}\nx = 1\n True\n", done.stderr
    assert "No module named 'colorsys' in this program: cannery left it out" in done.stderr

"""Real programs import nothing that wasn't found."""

from __future__ import annotations

import json
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.analysis import reach
from cannery.imports.host import host_of
from cannery.imports.places import Place, standard_library
from cannery.python.interpreter import describe
from cannery.workspace.cache import Cache
from cannery.workspace.keys import key_of
from cannery.workspace.process import find_uv, run
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.imports.model import Reach
    from cannery.python.interpreter import Interpreter

PROGRAMS = {
    "falcon gunicorn": """
        import falcon
        from gunicorn.app.base import BaseApplication
        class Server(BaseApplication):
            def load_config(self):
                self.cfg.set("bind", "127.0.0.1:8000")
            def load(self):
                return falcon.App()
        server = Server()
        for name in ("sync", "gthread"):
            server.cfg.set("worker_class", name)
            server.cfg.worker_class
        server.cfg.logger_class(server.cfg)
    """,
    "sanic": """
        from sanic import Sanic, text
        app = Sanic("app")
        app.get("/")(lambda request: text("hello"))
        app.finalize()
    """,
    "polars fire": """
        import fire, polars
        polars.DataFrame({"a": [1, 2]}).lazy().filter(polars.col("a") > 1).collect()
        fire.Fire({"f": lambda: None}, command=["f"])
    """,
    "fastapi uvicorn": """
        import fastapi, uvicorn
        app = fastapi.FastAPI()
        app.get("/{x}")(lambda x: x)
        app.openapi()
        uvicorn.Config(app).load()
    """,
    "flask jinja2 sqlalchemy": """
        import flask, sqlalchemy
        app = flask.Flask("app")
        app.get("/")(lambda: flask.render_template_string("{{ 1 }}"))
        assert app.test_client().get("/").data == b"1"
        sqlalchemy.create_engine("sqlite://").connect().execute(sqlalchemy.text("select 1"))
    """,
}
ENDING = """
import json, sys
found = {name: getattr(module, "__spec__", None) for name, module in sys.modules.items()}
print(json.dumps([spec.name for spec in found.values() if spec is not None and spec.loader is not None]))
"""

ON_EVERY_PYTHON = {"fastapi uvicorn", "polars fire"}  # which reach the most of the standard library


def cases() -> Iterator[object]:
    for packages in PROGRAMS:
        yield pytest.param(packages, marks=() if packages in ON_EVERY_PYTHON else pytest.mark.once)


@dataclass(frozen=True)
class Library:
    """Wheels in a folder, and who looks through them."""

    workspace: Workspace
    python: Interpreter
    folder: Path

    def reach(self, main: str) -> Reach:
        site, root = self.python.image_site_packages, self.folder
        files = {
            f"{site}/{path.relative_to(root)}": File(OnDisk(path, path.stat().st_size))
            for path in root.rglob("*")
            if path.is_file() and "__pycache__" not in path.parts
        }
        own = Tree({"/app/main.py": File(Inline(main.encode()))})
        places = [
            Place("app", LazyTree(key_of(main), lambda: own), ("/app",)),
            standard_library(self.python),
            Place("dependencies", LazyTree(key_of(str(root)), lambda: Tree(files)), (site,)),
        ]
        host = host_of(self.python, self.workspace)
        return reach(places, [], host, self.workspace, script="/app/main.py")

    def imported(self, main: str) -> set[str]:
        """What a run of the program imports, with nothing else installed."""
        program = f"import sys; sys.path.insert(0, {str(self.folder)!r})\n{main}\n{ENDING}"
        printed = run([str(self.python.executable), "-I", "-S", "-B", "-c", program]).stdout
        return set(json.loads(printed.splitlines()[-1]))


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Workspace:
    """One cache, so that the standard library is read once."""
    return Workspace(Cache(tmp_path_factory.mktemp("reach")), run)


@pytest.mark.slow
@pytest.mark.parametrize("packages", [*cases()])
def test_all_that_a_run_imports_was_found(packages: str, workspace: Workspace, tmp_path: Path) -> None:
    python = describe(Path(sys.executable), workspace)
    run([find_uv(), "pip", "install", "-q", f"--python={python.executable}", f"--target={tmp_path}", *packages.split()])
    library = Library(workspace, python, tmp_path)
    main = textwrap.dedent(PROGRAMS[packages])
    found = library.reach(main)
    imported = library.imported(main)
    assert len(imported) > 100
    assert imported - found.modules.keys() == set()
    assert not {name: each for name, each in found.missing.items() if each.needed and "__main__" in each.importers}
    assert len(found.modules) < 2 * len(imported)

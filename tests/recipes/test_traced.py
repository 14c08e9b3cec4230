"""What runs of a program show goes into its image: the commands and the addresses that ``trace`` names."""

from __future__ import annotations

import socket
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, MachineError
from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.recipes.common import needs_of_code
from cannery.recipes.traced import traced
from cannery.trees.app import app_tree
from cannery.trees.shaken import reach_of
from cannery.trees.wheels import NO_WHEELS
from tests.support.ports import free_port

if TYPE_CHECKING:
    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

PYTHON = sys.executable
# It imports, opens and loads by names that no source has.
SERVER = """
    import ctypes, http.server, os, sys

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            open("../runs", "a").write("x")
            __import__("CURSES".lower())
            text = open(bytes.fromhex("NAME").decode()).read()
            ctypes.CDLL("LIBZ.SO.1".lower())
            self.send_response(500 if self.path == "/bad" else 404 if self.path == "/no" else 200)
            self.end_headers()
            self.wfile.write(text.encode())

    if len(sys.argv) == 1:
        print("begins", flush=True)
        http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def project(make_project: MakeProject, trace: str, *, port: int = 0, main: str = SERVER) -> App:
    text = main.replace("PORT", str(port)).replace("NAME", b"words/a.txt".hex())
    setting = f"[tool.cannery]\ntrace = {trace}\n".replace("PORT", str(port))
    files = {"words/a.txt": "a", "words/b.txt": "b", "docs/c.txt": "", "main.py": text, "pyproject.toml": setting}
    return load(make_project(files))


def with_runs(app: App, workspace: Workspace) -> App:
    return traced(app, app_tree(app, workspace), NO_WHEELS, workspace)


@pytest.mark.slow
def test_the_program_is_asked_and_what_it_imports_and_opens_goes_in(
    make_project: MakeProject, workspace: Workspace
) -> None:
    app = with_runs(project(make_project, '"http://:PORT/"', port=free_port()), workspace)
    own = app_tree(app, workspace)
    python = describe(Path(sys.executable), workspace)
    found = reach_of(app, python, own, NO_WHEELS, workspace)
    assert found.modules["curses"].reason.importer == "__main__"
    assert own.resource_names == ("words/",)
    assert any("a traced run names it: words" in note for note in own.notes)
    assert "curses" in needs_of_code(own, own.code, app, workspace).modules
    assert app.seen.libraries == ("libz.so.1",)


def test_a_run_is_remembered_until_what_it_runs_changes(make_project: MakeProject, workspace: Workspace) -> None:
    app = project(make_project, '"http://:PORT/"', port=free_port())
    first = with_runs(app, workspace)
    assert with_runs(app, workspace) == first
    assert (app.folder.parent / "runs").read_text() == "x"
    (app.folder / "main.py").write_text((app.folder / "main.py").read_text() + "\n# changed\n")
    with_runs(app, workspace)
    assert (app.folder.parent / "runs").read_text() == "xx"


def test_commands_and_addresses_go_together(make_project: MakeProject, workspace: Workspace) -> None:
    command = f'{PYTHON} -c \'import sys; sys.argv.append(1); import main, wave; __import__(\\"plug\\" + \\"in\\")\''
    app = project(make_project, f'["{command}", "http://:PORT/", "http://:PORT/no"]', port=free_port())
    (app.folder / "plugin.py").write_text("")
    found = with_runs(app, workspace)
    assert {("", "plugin"), ("__main__", "curses"), ("main", "curses")} & {*found.seen.imports} >= {("", "plugin")}
    assert any("with status 404" in note for note in found.notes)
    assert (app.folder.parent / "runs").read_text() == "xx"  # both of one start


@pytest.mark.slow
def test_what_the_program_imports_in_a_command_is_reached_and_what_others_do_is_not(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(
        {
            "main.py": """
                import sys
                def work(name):
                    __import__('PLUG'.lower() + name)
                    open('WORDS'.lower()).read()
                sys.argv[9:] and work('')
            """,
            "tests/look.py": """
                import sys
                sys.path[:0] = ['.', 'wheels']
                import wave, main
                main.work('in')
                open('OTHERS'.lower()).read()
            """,
            "words": "",
            "others": "",
            "wheels/plugin.py": "",
            "pyproject.toml": f"[tool.cannery]\ntrace = '{PYTHON} tests/look.py'\n",
        }
    )
    python = describe(Path(sys.executable), workspace)
    wheels = Tree({f"{python.image_site_packages}/plugin.py": File(Inline(b""))})
    app = with_runs(load(folder), workspace)
    own = app_tree(app, workspace)
    found = reach_of(app, python, own, LazyTree("wheels", lambda: wheels), workspace)
    assert "plugin" in found.modules
    assert "wave" not in found.modules
    assert own.resource_names == ("words",)


ENDS = "print('no database')\nraise SystemExit(3)\n"
SLEEPS = "import time\nprint('asleep', flush=True)\ntime.sleep(60)\n"


@pytest.mark.parametrize(
    ("main", "path", "what", "said"),
    [
        (ENDS, "", "doesn't answer at .* \\(the program has ended\\)", "no database"),
        (SLEEPS, "", "doesn't answer at .*refused", "asleep"),
        (SERVER, "bad", "answers with status 500", "begins"),
    ],
    ids=["ends", "never answers", "fails"],
)
def test_a_server_that_does_not_answer_well_is_refused_with_what_it_said(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch, main: str, path: str, what: str,
    said: str,
) -> None:  # fmt: skip
    monkeypatch.setattr("cannery.recipes.traced._PATIENCE", 1.0)
    app = project(make_project, f'"http://:PORT/{path}"', port=free_port(), main=main)
    with pytest.raises(ConfigurationError, match=what) as raised:
        with_runs(app, workspace)
    assert said in raised.value.evidence
    assert "leave trace out" in raised.value.step


def test_a_port_that_somebody_else_has_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        app = project(make_project, '"http://:PORT/"', port=server.getsockname()[1])
        with pytest.raises(MachineError, match="something listens on port"):
            with_runs(app, workspace)


def test_an_address_that_is_not_the_program_s_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    with pytest.raises(ConfigurationError, match=r"trace = 'https://example\.org/' is no address of the program"):
        with_runs(project(make_project, '"https://example.org/"'), workspace)

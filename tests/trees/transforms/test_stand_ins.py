"""What stands where a module of the standard library was left out."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.python.interpreter import describe
from cannery.trees.transforms.stand_ins import left_out
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

SETTING = "[tool.cannery.tiny] without"
CLIENT = """
    import sys
    sys.path.insert(0, sys.argv[1])
    import http.server, ssl, threading, urllib.request

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            self.send_response(204)
            self.end_headers()

        def log_message(self, *arguments):
            pass

    with http.server.HTTPServer(("127.0.0.1", 0), Handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        place = f"//127.0.0.1:{server.server_port}/"
        print(urllib.request.urlopen(f"http:{place}").status, issubclass(ssl.SSLEOFError, ssl.SSLError))
        try:
            urllib.request.urlopen(f"https:{place}")
        except ImportError as error:
            print(error, error.name)
        server.shutdown()
"""


@pytest.fixture
def python(workspace: Workspace) -> Interpreter:
    return describe(Path(sys.executable), workspace)


def test_what_lies_below_goes_along_and_what_is_named_alike_stays(python: Interpreter, workspace: Workspace) -> None:
    library = python.image_stdlib
    extension = f"lib-dynload/_ssl.{python.name}-x86_64-linux-gnu.so"
    names = ("ssl.py", "ssl_tools.py", "json/__init__.py", "json/tool.py", "json/data.txt", extension)
    place = place_of("stdlib", library, dict.fromkeys(names, ""))
    place = replace(place, roots=(library, f"{library}/lib-dynload"))
    left = left_out(["ssl", "json"], SETTING, python, workspace).taken_from(place)
    assert sorted(path.removeprefix(f"{library}/") for path in left.tree.tree.entries) == ["ssl.py", "ssl_tools.py"]


def test_modules_of_wheels_and_of_the_app_are_absent_by_any_of_the_setting_s_names(
    python: Interpreter, workspace: Workspace
) -> None:
    place = place_of("dependencies", "/site", dict.fromkeys(("a/__init__.py", "a/b.py", "a/b/c.txt", "ab.py"), ""))
    left = left_out(["a.b", "ssl"], SETTING, python, workspace).taken_from(place)
    assert sorted(left.tree.tree.entries) == ["/site/a/__init__.py", "/site/ab.py"]


def test_nothing_is_left_out_where_nothing_is_named(python: Interpreter, workspace: Workspace) -> None:
    place = place_of("stdlib", "/lib", {"a.py": ""})
    assert left_out([], SETTING, python, workspace).taken_from(place) is place


def test_urls_of_http_open_without_ssl_and_those_of_https_name_the_setting(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    source = left_out(["ssl"], SETTING, python, workspace).stand_ins["ssl"]
    (tmp_path / "ssl.py").write_text(source)
    command = [sys.executable, "-I", "-c", textwrap.dedent(CLIENT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"204 True\nssl isn't in this program: {SETTING} names it ssl\n", done.stderr

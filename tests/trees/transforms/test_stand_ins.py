"""What stands where a module of the standard library was left out."""

from __future__ import annotations

import subprocess
import sys
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from cannery.python.interpreter import describe
from cannery.trees.transforms.stand_ins import left_out

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
    tree = Tree({f"{library}/{name}": File(Inline(b"")) for name in names})
    left = left_out(["ssl", "json"], SETTING, python, workspace).of(python)(tree)
    assert sorted(path.removeprefix(f"{library}/") for path in left.entries) == ["ssl.py", "ssl_tools.py"]


def test_urls_of_http_open_without_ssl_and_those_of_https_name_the_setting(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    source = left_out(["ssl"], SETTING, python, workspace).stand_ins["ssl"]
    (tmp_path / "ssl.py").write_text(source)
    command = [sys.executable, "-I", "-c", textwrap.dedent(CLIENT), str(tmp_path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert done.stdout == f"204 True\nssl isn't in this program: {SETTING} names it ssl\n", done.stderr

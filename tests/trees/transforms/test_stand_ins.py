"""What stands where a module of the standard library was left out."""

from __future__ import annotations

import socket
import subprocess
import sys
import textwrap
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

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

LIBRARIES = """
    import sys
    sys.path.insert(0, sys.argv[1])
    sys.modules["_ssl"] = sys.modules["_hashlib"] = None
    import anyio.abc, anyio.streams.tls, asyncio.sslproto, requests, urllib3, ssl

    class Context(ssl.SSLContext):
        "One of the program's own."

    context = Context(ssl.PROTOCOL_TLS_CLIENT)
    context.minimum_version, context.options = ssl.TLSVersion.TLSv1_2, context.options | ssl.OP_NO_COMPRESSION
    context.set_alpn_protocols(["h2"])
    print(context.verify_mode == ssl.CERT_REQUIRED, isinstance(ssl.create_default_context(), ssl.SSLContext))
    print(requests.Session().verify, ssl.OPENSSL_VERSION_INFO > (1, 1, 1), ssl.SSLContext | None)

    def refused(function, *arguments, **options):
        try:
            function(*arguments, **options)
        except ImportError as error:
            print(error)

    refused(context.wrap_socket, None)
    refused(context.load_cert_chain, "server.pem")
    refused(urllib3.PoolManager(retries=False).request, "GET", f"https://127.0.0.1:{sys.argv[2]}")
"""
ANY_USE = """
    import importlib, inspect, sys
    real = importlib.import_module(sys.argv[1])
    namespace = {"__name__": sys.argv[1]}
    exec(sys.stdin.read(), namespace)
    public = {name for name, value in vars(real).items() if name[0] != "_" and not inspect.ismodule(value)}
    print(sorted(public - namespace.keys()))
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


def test_libraries_that_only_name_what_is_left_out_go_on_and_what_uses_it_names_the_setting(
    python: Interpreter, workspace: Workspace, tmp_path: Path
) -> None:
    (tmp_path / "ssl.py").write_text(left_out(["ssl"], SETTING, python, workspace).stand_ins["ssl"])
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = str(server.getsockname()[1])
        command = [sys.executable, "-I", "-c", textwrap.dedent(LIBRARIES), str(tmp_path), port]
        done = subprocess.run(command, capture_output=True, text=True, check=False)
    refused = f"ssl isn't in this program: {SETTING} names it\n"
    assert done.stdout == f"True True\nTrue True ssl.SSLContext | None\n{refused * 3}", done.stderr


@pytest.mark.parametrize("name", ["cmath", "datetime", "decimal", "enum", "ftplib", "locale", "queue", "ssl", "typing"])
def test_a_stand_in_has_every_name_of_its_module(name: str, python: Interpreter, workspace: Workspace) -> None:
    source = left_out([name], SETTING, python, workspace).stand_ins[name]
    command = [sys.executable, "-I", "-c", textwrap.dedent(ANY_USE), name]
    done = subprocess.run(command, input=source, capture_output=True, text=True, check=False)
    assert done.stdout == "[]\n", done.stderr


def test_what_stands_for_constants_is_what_they_are_and_classes_are_of_their_kinds(
    python: Interpreter, workspace: Workspace
) -> None:
    sources = left_out(["decimal", "ftplib", "queue"], SETTING, python, workspace).stand_ins
    found: dict[str, dict[str, Any]] = {name: {"__name__": name} for name in sources}
    for name, source in sources.items():
        exec(source, found[name])  # noqa: S102  # it's what an import of the stand-in does
    ftplib, queue, decimal = found["ftplib"], found["queue"], found["decimal"]
    assert ftplib["all_errors"] == (ftplib["Error"], OSError, EOFError, OSError)  # the last is ssl.SSLError
    assert issubclass(ftplib["FTP_TLS"], ftplib["FTP"])
    assert queue["Queue"][int] is queue["Queue"]
    assert issubclass(type("Own", (queue["PriorityQueue"],), {}), queue["Queue"])
    context = decimal["DefaultContext"]
    assert not hasattr(context, "__wrapped__")
    for use in (lambda: context.prec, lambda: bool(context), queue["Queue"], queue["Queue"].put):
        with pytest.raises(ImportError, match="names it"):
            use()

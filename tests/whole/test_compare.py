"""``cannery compare`` over a whole project: a recipe beside a virtual environment, and one that can't build it."""

from __future__ import annotations

import json
import re
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import jsonschema
import pytest

from cannery.tasks.report import compare as report_of
from tests.support.command import assert_refused, cannery
from tests.support.ports import free_port

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

SCHEMA = json.loads(Path(report_of.__file__).with_name("compare.schema.json").read_text(encoding="utf-8"))
SERVER = """
import http.server

import helper

class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(helper.TEXT.encode())

    def log_message(self, *words):
        pass

http.server.ThreadingHTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def rows_of(report: Any) -> dict[str, Any]:
    jsonschema.validate(report, SCHEMA)
    return {row["name"]: row for row in report["rows"]}


def test_a_server_is_measured_in_an_image_and_in_a_virtual_environment(make_project: MakeProject) -> None:
    port = free_port()
    project = make_project(
        {
            "main.py": SERVER.replace("PORT", str(port)),
            "helper.py": "TEXT = 'hello'",
            "pyproject.toml": f"[tool.cannery]\nname = 'hello'\nentry = 'main.py'\nports = ['{port}']\n",
        }
    )
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    markdown = project.parent / "compared.md"
    command = ("compare", "--recipes", "scratch,slim", "--rounds", "3", "--json", "--markdown", str(markdown))
    page = project.parent / "compared.html"
    rows = rows_of(cannery(*command, "--html", str(page), cwd=project).report)
    assert [*rows] == ["environment", "scratch", "slim"]
    assert rows["slim"]["lacks"][0]["reason"] == "the recipe 'slim' needs a base"
    row = rows["scratch"]
    assert row["lacks"] == []
    assert row["size"] == sum(layer["size"] for layer in row["layers"]) > 5_000_000
    (app,) = (layer for layer in row["layers"] if layer["name"] == "app")
    assert abs(row["builds"]["sent_again"] - app["compressed_size"]) < 100  # of that layer alone
    assert row["builds"]["reproducible"] is True
    for name in ("environment", "scratch"):
        running = rows[name]["running"]
        assert len(running["start"]["values"]) == len(running["requests_per_second"]["values"]) == 3
        assert running["memory_idle"]["low"] > 1_000_000
    assert page.stat().st_size < 2_000_000
    assert "What takes the bytes of scratch" in page.read_text(encoding="utf-8")
    assert "requests/s" in markdown.read_text(encoding="utf-8")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_a_program_that_ends_is_timed_to_its_end(make_project: MakeProject) -> None:
    project = make_project({"main.py": "import sys; print(len(sys.argv))"})
    rows = rows_of(
        cannery("compare", "--recipes", "scratch", "--rounds", "3", "--probe=one two", "--json", cwd=project).report
    )
    assert rows["scratch"]["running"]["start"]["median"] > 0
    assert rows["scratch"]["running"]["requests_per_second"] is None


def test_a_copy_that_cannot_be_built_tells_why(make_project: MakeProject) -> None:
    """A Python in a folder that copies leave behind."""
    project = make_project({"main.py": "print(1)", "pyproject.toml": "[tool.cannery]\npython = '.own/bin/python3'\n"})
    (project / ".own" / "bin").mkdir(parents=True)
    (project / ".own" / "bin" / "python3").symlink_to(sys.executable)
    row = rows_of(cannery("compare", "--recipes", "scratch", "--rounds", "3", "--json", cwd=project).report)["scratch"]
    (lack,) = row["lacks"]
    assert lack["what"] == "builds of a copy of the project"
    assert lack["reason"].startswith("python = '.own/bin/python3': there is no program ")
    assert row["running"]["start"]["median"] > 0


def test_a_peer_is_a_row_like_others(make_project: MakeProject) -> None:
    """It's given the project's own files and what it requires, whatever starts it."""
    project = make_project(
        {"main.py": "import helper, six; print(helper.ONE)", "helper.py": "ONE = 1", "requirements.txt": "six"}
    )
    command = ("compare", "--recipes", "scratch", "--peers", "shiv", "--rounds", "3", "--json")
    row = rows_of(cannery(*command, cwd=project).report)["shiv"]
    assert (row["kind"], row["lacks"], row["files"]) == ("peer", [], 1)
    assert re.fullmatch(r"shiv [\d.]+; needs Python 3\.[\d.]+ on the machine that runs it", row["about"])
    assert row["builds"]["sent_again"] == pytest.approx(row["compressed_size"], rel=0.1)  # all of it
    assert len(row["running"]["start"]["values"]) == 3


@pytest.mark.parametrize(
    ("flags", "what"),
    [
        (("--recipes", "scratch,tny"), "there is no recipe 'tny'"),
        (("--peers", "shv"), "there is no peer 'shv' to compare with"),
        (("--rounds", "2"), "--rounds 2 are too few to tell a spread"),
        (("--probe", "'"), "can't be split"),
        (("--probe", "http://example.com/"), "is no address of the program"),
    ],
)
def test_what_cannot_be_compared_is_refused(make_project: MakeProject, flags: tuple[str, ...], what: str) -> None:
    project = make_project({"main.py": "print(1)"})
    assert what in assert_refused(cannery("compare", *flags, cwd=project), 2)

"""``cannery check`` over whole images: what they do otherwise than an environment is told, with what mends it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from tests.support.command import cannery
from tests.support.ports import free_port

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

MAIN = """
    import os
    import sys
    import time

    def main() -> None:
        print("args", sys.argv[1:], "pid", os.getpid(), "at", time.time_ns(), "beside", __file__)
        if "--read" in sys.argv:
            print(open(sys.argv[2]).read())
        if "--fail" in sys.argv:
            raise KeyError("of the program's own")

    if __name__ == "__main__":
        main()
"""
SERVER = """
    import http.server, os, signal, sys, uuid

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self):
            there = os.path.exists(bytes.fromhex("TEXT").decode())  # as no analysis reads it
            self.send_response(200 if there or self.path == "/health" else 404)
            self.end_headers()
            self.wfile.write(f"{uuid.uuid4()}\\nat {self.path}".encode())

    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    http.server.HTTPServer(("127.0.0.1", PORT), Handler).serve_forever()
"""


def test_a_program_that_does_the_same_passes_whatever_changes_by_itself(make_project: MakeProject) -> None:
    folder = make_project({"main.py": MAIN, "pyproject.toml": '[tool.cannery]\ncheck = ["--name \'A B\'", ""]\n'})
    found = cannery("check", "--recipe", "tiny", "--json", cwd=folder).report
    assert found["runner"] == "the embedded runner"
    assert [(each["question"], each["verdict"]) for each in found["answers"]] == [
        ("--name 'A B'", "same"),
        ("the program", "same"),
    ]
    assert found["answers"][0]["image"]["output"].startswith("args ['--name', 'A B'] pid ")


@pytest.mark.once
def test_what_differs_is_told_with_the_line_that_mends_it(make_project: MakeProject) -> None:
    files = {"main.py": MAIN, "notes.txt": "noted", "pyproject.toml": "[tool.cannery]\n"}
    folder = make_project(files)
    outcome = cannery("check", "--", "--read", "notes.txt", cwd=folder)
    assert outcome.code == 11
    assert (
        "differs        --read notes.txt\n  exit code\n    image:        exit code 1\n    environment:  exit code 0\n"
        in outcome.stdout
    )
    assert "Traceback" not in outcome.stderr
    assert outcome.stderr.endswith('Next: [tool.cannery]  resources = ["notes.txt"]\n')
    (folder / "pyproject.toml").write_text('[tool.cannery]\nresources = ["notes.txt"]\n')
    assert cannery("check", "--", "--read", "notes.txt", cwd=folder).code == 0


@pytest.mark.once
def test_a_program_that_a_dependency_starts_is_named(make_project: MakeProject) -> None:
    """No source says which one: the run in the environment shows it."""
    main = """
        import os, subprocess

        print(os.path.dirname(os.path.abspath(__file__)).rpartition("/")[2])  # the same in both
        try:
            subprocess.run([bytes.fromhex("TEXT").decode(), "-n"], check=True)
        except OSError:
            print("as it were")
    """
    folder = make_project({"main.py": main.replace("TEXT", b"uname".hex())})
    outcome = cannery("check", "--", "x", cwd=folder)
    assert outcome.code == 11
    assert "Next: the environment's program starts uname, which the image does not have: " in outcome.stderr


@pytest.mark.once
def test_what_the_program_needed_when_it_was_asked_before_is_there(make_project: MakeProject) -> None:
    """Nothing in the source says that it loads a module, opens a file and a library."""
    port = free_port()
    needs = f"""
        def there():
            try:
                import ctypes
                __import__("CSV".lower())
                open(bytes.fromhex("{b"words/a.txt".hex()}").decode()).close()
                ctypes.CDLL(bytes.fromhex("{b"libz.so.1".hex()}").decode())
            except (ImportError, OSError):
                return False
            return True
    """
    main = SERVER.replace('os.path.exists(bytes.fromhex("TEXT").decode())', "__import__('needs').there()")
    setting = f'[tool.cannery]\nrecipe = "tiny"\ncheck = "http://:{port}/"\n'
    files = {
        "main.py": main.replace("PORT", str(port)),
        "needs.py": needs,
        "words/a.txt": "",
        "pyproject.toml": setting,
    }
    folder = make_project(files)
    assert cannery("check", cwd=folder).code == 11
    (folder / "pyproject.toml").write_text(f'{setting}trace = "http://:{port}/"\n')
    assert cannery("check", cwd=folder).code == 0


@pytest.mark.once
def test_a_program_that_fails_by_itself_is_not_the_images_fault(make_project: MakeProject) -> None:
    outcome = cannery("check", "--", "--fail", cwd=make_project({"main.py": MAIN}))
    assert outcome.code == 12
    assert "fails in both  --fail\n" in outcome.stdout
    assert 'KeyError: "of the program\'s own"' in outcome.stderr


def test_modules_are_imported_where_nothing_is_asked(make_project: MakeProject) -> None:
    hidden = b"json.tool".hex()  # as no analysis reads it
    files = {
        "main.py": "import package\nif __name__ == '__main__': raise SystemExit(package.start())",
        "package/__init__.py": "from package.run import start",
        "package/run.py": "def start(): return 0",
        "package/broken.py": "import no_such_module_at_all",
        "package/late.py": f"import importlib\nloaded = importlib.import_module(bytes.fromhex('{hidden}').decode())",
    }
    folder = make_project(files)
    outcome = cannery("check", "--recipe", "tiny", cwd=folder)
    assert outcome.code == 11
    assert "differs        imports of 5 modules\n  import of package.late\n" in outcome.stdout
    assert "in both: import of package.broken: ModuleNotFoundError: no_such_module_at_all\n" in outcome.stdout
    made = cannery("image", "--check", "--json", cwd=folder).report
    assert made["check"]["answers"][0]["verdict"] == "same"


@pytest.mark.once
def test_a_server_is_asked_in_both_and_ended(make_project: MakeProject) -> None:
    port = free_port()
    settings = f'[tool.cannery]\ncheck = "http://:{port}/health"\n'
    main = SERVER.replace("PORT", str(port)).replace("TEXT", b"texts/hello.txt".hex())
    folder = make_project({"main.py": main, "texts/hello.txt": "", "pyproject.toml": settings})
    assert cannery("image", "--check", cwd=folder).code == 0
    assert cannery("image", "--check", "--", f"http://:{port}/page", cwd=folder).code == 11
    assert "a build has no use for" in cannery("image", "--", f"http://:{port}/page", cwd=folder).stderr
    outcome = cannery("check", "--json", "--", f"http://:{port}/health", f"http://:{port}/page", cwd=folder)
    assert outcome.code == 11
    (answer,) = json.loads(outcome.stdout)["answers"]
    assert answer["differences"] == [
        {"what": f"status of http://:{port}/page", "image": "status 404", "environment": "status 200"}
    ]


@pytest.mark.once
def test_a_server_that_listens_is_asked_though_nobody_says_what(make_project: MakeProject) -> None:
    port = free_port()
    main = "def app(environ, start_response):\n    start_response('200 OK', [])\n    return [b'hello']"
    files = {
        "main.py": main,
        "Procfile": f"web: gunicorn main:app --bind 127.0.0.1:{port}",
        "requirements.txt": "gunicorn",
    }
    found = cannery("check", "--json", cwd=make_project(files)).report["answers"]
    assert [(each["question"], each["verdict"]) for each in found] == [
        ("import of main", "same"),
        (f"http://:{port}/", "same"),
    ]
    assert found[1]["image"]["responses"] == [{"url": f"http://:{port}/", "status": 200, "body": "hello"}]


@pytest.mark.once
def test_another_command_of_the_image_can_be_asked(make_project: MakeProject) -> None:
    settings = (
        '[tool.cannery]\nentry = "main.py"\ncommands = { count = "count.py --from 3" }\ncheck = ["count --to 5"]\n'
    )
    files = {"main.py": MAIN, "count.py": "import sys\nprint(sys.argv[1:])\n", "pyproject.toml": settings}
    (found,) = cannery("check", "--recipe", "tiny", "--json", cwd=make_project(files)).report["answers"]
    assert (found["verdict"], found["image"]["output"]) == ("same", "['--from', '3', '--to', '5']\n")


@pytest.mark.once
def test_a_timeout_that_is_no_number_is_refused(make_project: MakeProject) -> None:
    outcome = cannery("check", "--timeout", "soon", cwd=make_project({"main.py": ""}))
    assert (outcome.code, "Next: write it as --timeout 60" in outcome.stderr) == (2, True)


@pytest.mark.once
def test_an_engine_that_does_not_answer_is_no_difference(make_project: MakeProject) -> None:
    outcome = cannery("check", "--engine", "docker", cwd=make_project({"main.py": ""}), DOCKER_HOST="unix:///no/socket")
    assert outcome.code == 6

"""The command line, as people and programs see it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from cannery import __version__
from cannery.tasks import namespace

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.slow

RUN = "python -m cannery run"
SHOW = """
    import json, os, sys
    print(json.dumps({"arguments": sys.argv[1:], "environment": dict(os.environ), "user": os.getuid()}))
    sys.exit(len(sys.argv) - 1)
"""


def cannery(*arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.mark.once
@pytest.mark.parametrize("command", sorted(namespace.task_names))
def test_help_lists_every_command_and_each_explains_itself(command: str) -> None:
    assert f"  {command} " in cannery("--help").stdout
    done = cannery(command, "--help")
    assert done.returncode == 0
    assert done.stdout.startswith(f"Usage: cannery {command} ")
    assert "--project=PROJECT" in done.stdout
    assert "Docstring" not in done.stdout


def test_the_version_is_told() -> None:
    assert cannery("--version").stdout == f"cannery {__version__}\n"


def test_a_folder_needs_no_tasks_py_and_invoke_shows_the_same_tasks(make_project: MakeProject) -> None:
    folder = make_project({"tasks.py": "from cannery.tasks import namespace\n"})
    command = [sys.executable, "-m", "invoke", "--list"]
    listed = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=True).stdout
    tasks = [line.split()[0] for line in listed.splitlines()[2:-1]]
    assert tasks == [
        "audit",
        "check",
        "compare",
        "config",
        "cythonize",
        "diff",
        "dockerfile",
        "explore",
        "freeze",
        "image",
        "images",
        "imports",
        "kit",
        "lock",
        "prune",
        "ps",
        "push",
        "registry-check",
        "resolve",
        "run",
        "sbom",
        "sizes",
        "verify",
        "vex",
        "watch",
    ]


def test_an_image_is_reported_in_a_table_with_the_next_step(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "print('hello')"})
    done = cannery("image", cwd=folder)
    assert done.returncode == 0, done.stderr
    for said in (
        "project:latest",
        "runtime",
        "app",
        "sha256:",
        "dist/project.tar",
        "took",
        "Next: python -m cannery run",
    ):
        assert said in done.stdout
    assert "\x1b" not in done.stdout + done.stderr
    assert (folder / "dist" / "project.tar").is_file()


def test_the_next_step_runs_what_was_built(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    done = cannery("image", "--recipe=tiny", "--strip", "--tag=1.0", cwd=folder)
    assert "Next: python -m cannery run --recipe tiny --tag 1.0 --strip -- [ARGS]\n" in done.stdout


@pytest.mark.once
@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("imge",), "there is no command 'imge'\n  did you mean 'image'?\nNext: python -m cannery --list\n"),
        (("--help", "imge"), "there is no command 'imge'\n  did you mean 'image'?\nNext: python -m cannery --list\n"),
        (
            ("image", "--recpe", "tiny"),
            "image has no flag '--recpe'\n  did you mean '--recipe'?\nNext: python -m cannery image --help\n",
        ),
        (("image", "--recipe"), "--recipe needs a value\nNext: python -m cannery image --help\n"),
        (("help",), "there is no command 'help'\nNext: python -m cannery --help\n"),
        (("run", "x"), f"run can't place the word 'x'\nNext: {RUN} -- x\n"),
        (
            ("run", "--times", "2"),
            (
                f"run has no flag '--times'\n  did you mean '--runtime'?\n"
                f"Next: {RUN} --help, or for a flag of the program's own:  {RUN} -- --times\n"
            ),
        ),
        (("image", "tiny"), "image can't place the word 'tiny'\nNext: python -m cannery image --recipe tiny\n"),
        (("push", "a.io/b"), "push can't place the word 'a.io/b'\nNext: python -m cannery push -- a.io/b\n"),
        (("sizes", "a.tar"), "sizes can't place the word 'a.tar'\nNext: python -m cannery sizes --image a.tar\n"),
        (("config", "x"), "config can't place the word 'x'\nNext: python -m cannery config --help\n"),
        (("diff",), "diff needs BEFORE and AFTER\nNext: python -m cannery diff BEFORE AFTER\n"),
        (("diff", "a"), "diff needs AFTER\nNext: python -m cannery diff BEFORE AFTER\n"),
    ],
)
def test_a_misspelt_command_line_is_refused_with_what_is_near(arguments: tuple[str, ...], told: str) -> None:
    refused = cannery(*arguments)
    assert (refused.returncode, refused.stdout, refused.stderr) == (2, "", f"error: {told}")


@pytest.mark.once
def test_what_packs_this_machine_s_python_is_refused_for_another(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    refused = cannery("image", "--recipe=onefile", "--platform=linux/s390x", cwd=folder)
    assert refused.returncode == 2
    assert "the recipe onefile packs a Python of this machine, for linux/" in refused.stderr
    assert ", and not for linux/s390x\nNext: build it there; or take the recipe tiny" in refused.stderr
    assert not (folder / "dist").exists()


@pytest.mark.once
@pytest.mark.slow
def test_words_for_the_program_go_through_a_build_on_the_same_command_line(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "import sys; print(sys.argv[1:])"})
    ran = cannery("image", "run", "--", "show-deps", "a b", cwd=folder)
    assert (ran.returncode, ran.stdout.splitlines()[-1]) == (0, "['show-deps', 'a b']")


def test_json_is_all_there_is_on_standard_output(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    report = json.loads(cannery("image", "--json", "--tag", "1.0", cwd=folder).stdout)
    assert report["references"] == ["project:1.0"]
    assert report["size"] == sum(layer["size"] for layer in report["layers"])
    assert report["archive_size"] == os.path.getsize(report["archive"])  # noqa: PTH202  # JSON gives a text


def test_a_second_build_packs_and_writes_nothing(make_project: MakeProject) -> None:
    folder = make_project({"main.py": ""})
    cannery("image", cwd=folder)
    before = (folder / "dist" / "project.tar").stat()
    done = cannery("image", cwd=folder)
    assert "packed" not in done.stdout
    assert "(unchanged)" in done.stdout
    assert not done.stderr
    assert (folder / "dist" / "project.tar").stat() == before


def test_a_change_of_the_app_packs_the_app_alone(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "before = 'nobody else writes this'"})
    first = json.loads(cannery("image", "--json", cwd=folder).stdout)
    make_project({"main.py": "after = 'nobody else writes this'"})
    second = json.loads(cannery("image", "--json", cwd=folder).stdout)
    assert {layer["name"] for layer in second["layers"] if layer["packed"]} == {"app"}
    digests = [{layer["name"]: layer["digest"] for layer in report["layers"]} for report in (first, second)]
    assert digests[0]["runtime"] == digests[1]["runtime"]
    assert digests[0]["app"] != digests[1]["app"]


def test_run_hands_over_words_as_they_are_and_the_exit_code_back(make_project: MakeProject) -> None:
    folder = make_project({"main.py": SHOW})
    done = cannery("run", "--", "two  words", "--flag", "", cwd=folder)
    assert json.loads(done.stdout)["arguments"] == ["two  words", "--flag", ""]
    assert done.returncode == 3


def test_run_gives_the_image_s_environment_and_user_and_nothing_else(
    make_project: MakeProject, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SECRET_OF_THE_CALLER", "1")
    settings = '[tool.cannery]\nenv = {GREETING = "hello"}\nuser = 1234\n'
    folder = make_project({"main.py": SHOW, "pyproject.toml": settings})
    shown = json.loads(cannery("run", cwd=folder).stdout)
    assert shown["user"] == 1234
    assert shown["environment"]["GREETING"] == "hello"
    assert shown["environment"]["HOME"] == "/tmp"
    assert "SECRET_OF_THE_CALLER" not in shown["environment"]


@pytest.mark.once
def test_the_project_is_found_from_a_folder_below(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": "", "deep/er/x": ""})
    assert cannery("image", cwd=folder / "deep" / "er").returncode == 0
    assert (folder / "dist" / "project.tar").is_file()


@pytest.mark.once
def test_settings_are_shown_with_where_they_come_from(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": "[tool.cannery]\nstrip = true\n"})
    shown = json.loads(cannery("config", "--json", cwd=folder).stdout)
    assert shown["strip"] == {"value": True, "from": str(folder / "pyproject.toml")}
    assert shown["tag"] == {"value": "latest", "from": "default"}
    assert shown["entry"] == {"value": "main.py", "from": "found in main.py"}
    assert "strip" in cannery("config", cwd=folder).stdout


@pytest.mark.once
def test_settings_are_shown_of_a_project_that_has_nothing_to_run(make_project: MakeProject) -> None:
    folder = make_project({"pyproject.toml": ""})
    assert "no entry point found" in cannery("config", cwd=folder).stdout


@pytest.mark.once
def test_a_terminal_sees_colours_and_a_bar(
    make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("CANNERY_CACHE", str(tmp_path / "cache"))  # empty: there is something to show
    monkeypatch.setenv("TERM", "xterm-256color")
    folder = make_project({"main.py": ""})
    child = pexpect.spawn(
        sys.executable, ["-m", "cannery", "image"], cwd=str(folder), encoding="utf-8", dimensions=(40, 100), timeout=60
    )
    child.expect("packing runtime")
    child.expect(r"\x1b\[1mproject:latest")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0


@pytest.mark.once
def test_a_recipe_that_is_not_there_is_refused_with_those_that_are(make_project: MakeProject) -> None:
    done = cannery("image", "--recipe", "scrach", cwd=make_project({"main.py": ""}))
    assert done.returncode == 2
    assert done.stderr.startswith("error: there is no recipe 'scrach'\n  did you mean 'scratch'?\n")


def test_imports_are_shown_with_the_reason_why(make_project: MakeProject) -> None:
    folder = make_project({"main.py": "import csv, nowhere\n__import__(input())", "unused.py": ""})
    said = cannery("imports", cwd=folder).stdout
    assert "2  modules of the app" in said  # what lies beside a script goes in
    assert "missing  nowhere, which __main__ imports" in said
    assert "unread   __main__, line 2" in said
    assert cannery("imports", "--why=io", cwd=folder).stdout == "io: the program begins with it\n"
    assert cannery("imports", "--why=csv", cwd=folder).stdout == (
        "csv: imported by __main__\n__main__: the program begins with it\n"
    )
    assert 'add  include = ["wave"]' in cannery("imports", "--why=wave", cwd=folder).stdout
    assert json.loads(cannery("imports", "--json", cwd=folder).stdout)["modules"]["csv"]["place"] == "stdlib"

"""Flags: made from the table of settings, explained in one place, and handed on as they were given."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

import pytest
from invoke.collection import Collection
from invoke.config import Config
from invoke.context import Context
from invoke.program import Program

from cannery.project.flags import FLAGS
from cannery.tasks import namespace
from cannery.tasks.flags import CommandLine, command, typed

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.tasks.flags import Values

pytestmark = pytest.mark.once

# What these commands mean by a flag is not what the setting means, or only a part of it.
OF_THEIR_OWN = {
    *(("freeze", "recipe"), ("freeze", "platform"), ("explore", "base"), ("dockerfile", "output")),
    *(
        ("cythonize", "python"),
        ("cythonize", "output"),
        ("kit", "python"),
        ("kit", "platform"),
        ("kit", "output"),
        ("diff", "platform"),
        ("sbom", "output"),
        ("vex", "output"),
    ),
}


# Every command with every flag of it -> the words on that; asked once, as Invoke tells it once.
TOLD = {
    (str(context.name), argument.name.replace("-", "_")): str(argument.help)
    for context in namespace.to_contexts()
    for argument in context.args.values()
}


def test_a_setting_is_explained_by_every_command_as_the_table_has_it() -> None:
    settings = {key: words for key, words in TOLD.items() if key[1] in FLAGS}
    assert {key for key, words in settings.items() if words != FLAGS[key[1]].help} == OF_THEIR_OWN


def test_every_flag_is_explained() -> None:
    assert [key for key, words in TOLD.items() if not words.endswith(".")] == []


def test_image_has_a_flag_for_every_setting_that_is_one() -> None:
    assert {flag for name, flag in TOLD if name == "image"} >= FLAGS.keys() - {
        "repository",
        "attest",
        "sign",
        "signer",
        "vex",
    }


def run(*words: str) -> tuple[CommandLine, str | None]:
    """What a command is given that takes two settings and has a flag of its own."""
    given: list[tuple[CommandLine, str | None]] = []

    @command("tag", "strip", help={"own": "Its own."})
    def work(line: CommandLine, own: str | None = None) -> None:
        """Work."""
        given.append((line, own))

    Program(namespace=Collection(work), version="1").run(["cannery", "work", *words], exit=False)
    return given[0]


def test_a_command_is_given_settings_apart_from_flags_of_its_own() -> None:
    line, own = run("--strip", "--own", "x", "--tag=", "--project=there", "--", "a", "b c")
    assert line == CommandLine("there", {"tag": "", "strip": True}, "a b c")
    assert own == "x"


def test_what_is_not_given_is_none() -> None:
    assert run() == (CommandLine(None, {"tag": None, "strip": None}, ""), None)


def test_a_command_can_be_called_by_another_task() -> None:
    given: list[CommandLine] = []

    @command("tag", "strip")
    def work(line: CommandLine) -> None:
        """Work."""
        given.append(line)

    work(Context(), strip=True)
    assert given == [CommandLine(None, {"tag": None, "strip": True}, "")]


@pytest.mark.parametrize(
    ("started", "told"),
    [
        ("/usr/lib/python3/pytest", "cannery"),
        ("/site-packages/cannery/__main__.py", "python -m cannery"),
        ("/site-packages/invoke/__main__.py", "python -m invoke"),
        ("/home/me/.cache/uv/archive-v0/x3F/bin/cannery", "uvx cannery"),
        (".venv/bin/inv", ".venv/bin/inv"),
        ("{path}/invoke", "invoke"),
    ],
)
def test_a_command_line_is_typed_as_it_was_called(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, started: str, told: str
) -> None:
    (tmp_path / "invoke").write_text("#!/bin/sh\n")
    (tmp_path / "invoke").chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setattr(sys, "argv", [started.format(path=tmp_path)])
    given: Values = {"recipe": "tiny", "strip": True, "base": None, "compile": None, "fail_on": "my level"}
    assert typed("run", given) == f"{told} run --recipe tiny --strip --fail-on 'my level'"


def test_a_dry_run_says_the_command_and_does_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    @command("tag", help={"often": "More than once."})
    def work(line: CommandLine, often: str | None = None) -> None:
        """Work."""
        raise AssertionError(line, often)

    work(Context(Config({"run": {"dry": True}})), tag="x", often="twice")
    assert capsys.readouterr().out.endswith(" work --tag x --often twice\n")

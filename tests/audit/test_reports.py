"""An audit's result: table, JSON, SARIF, and the gate."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attr
import pytest
import sarif_om

from cannery.errors import ConfigurationError
from cannery.project.precedence import resolve_settings
from cannery.project.pyproject import read_project
from cannery.secrets.tokens import TOKENS
from tests.support.bad_images import START, docker_archive, file, layer

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SARIF = {  # property -> the class of what it holds, in the object model that is made from SARIF's schema
    "runs": "Run", "tool": "Tool", "driver": "ToolComponent", "rules": "ReportingDescriptor", "results": "Result",
    "shortDescription": "MultiformatMessageString", "help": "MultiformatMessageString", "message": "Message",
    "defaultConfiguration": "ReportingConfiguration", "locations": "Location", "logicalLocations": "LogicalLocation",
    "physicalLocation": "PhysicalLocation", "artifactLocation": "ArtifactLocation", "suppressions": "Suppression",
}  # fmt: skip


def cannery(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", "audit", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A project whose image has source, a shell and a name for a user."""
    folder = make_project({"pyproject.toml": '[tool.cannery.audit]\nallow = ["CAN501", "CAN101:/app/kept/*"]\n'})
    bad = layer(
        file("app/a.py", b"price = 1\n" * 50),
        file("app/kept/b.py", b"price = 2\n" * 50),
        file("bin/sh", b"x", mode=0o755),
    )
    (folder / "image.tar").write_bytes(docker_archive([bad], {**START, "User": "app"}))
    return folder


def test_the_table_tells_what_where_and_what_to_do(project: Path) -> None:
    done = cannery("--image", "image.tar", cwd=project)
    assert done.returncode == 9
    assert re.search(r"critical +CAN101 +source of the app.* /app/a\.py", done.stdout)
    assert "CAN101 source of the app: build it with  [tool.cannery]  compile = true" in done.stdout
    assert "bad:latest: 1 critical, 1 medium, 2 allowed" in done.stdout
    assert "it holds 0 distributions, 0 libraries, 0 packages" in done.stdout
    assert done.stderr.startswith("reading the image …\n")
    assert "\nerror: bad:latest does not pass: 1 finding is high or worse" in done.stderr


def test_json_is_all_there_is_on_standard_output(project: Path) -> None:
    report = json.loads(cannery("--image", "docker-archive:image.tar", "--json", cwd=project).stdout)
    assert report["passed"] is False
    assert [(each["id"], each["path"]) for each in report["findings"]] == [("CAN101", "/app/a.py"), ("CAN602", "")]
    assert {each["id"] for each in report["allowed"]} == {"CAN501", "CAN101"}


@pytest.mark.parametrize(("fail_on", "code"), [("critical", 9), ("medium", 9), ("never", 0)])
def test_the_gate_is_where_it_is_set(project: Path, fail_on: str, code: int) -> None:
    assert cannery("--image", "image.tar", "--fail-on", fail_on, cwd=project).returncode == code


def test_sarif_has_the_properties_that_the_standard_names(project: Path) -> None:
    log = json.loads(cannery("--image", "image.tar", "--sarif", cwd=project).stdout)
    assert log["version"] == "2.1.0"
    assert_of_class(log, "SarifLog")
    results = log["runs"][0]["results"]
    suppressed = {each["ruleId"] for each in results if each.get("suppressions")}
    assert suppressed == {"CAN501", "CAN101"}
    rules = log["runs"][0]["tool"]["driver"]["rules"]
    assert all(rules[each["ruleIndex"]]["id"] == each["ruleId"] for each in results)


def assert_of_class(value: dict[str, Any], name: str) -> None:
    fields = {each.metadata["schema_property_name"]: each for each in attr.fields(getattr(sarif_om, name))}
    assert value.keys() <= fields.keys()
    assert {key for key, each in fields.items() if each.default is attr.NOTHING} <= value.keys()
    for key, below in value.items():
        for each in below if isinstance(below, list) else [below]:
            if isinstance(each, dict) and key != "properties":
                assert_of_class(each, SARIF[key])


@pytest.mark.slow
def test_the_project_s_own_image_is_built_as_the_flags_say_and_no_archive_is_replaced(
    make_project: MakeProject,
) -> None:
    folder = make_project({"main.py": "print('hello')\n", "dist/project.tar": "somebody's"})
    done = cannery("--recipe", "tiny", "--tag", "small", "--json", "--fail-on", "never", cwd=folder)
    assert json.loads(done.stdout)["image"] == "project:small"
    assert (folder / "dist/project.tar").read_text() == "somebody's"


def test_a_rule_that_is_not_there_can_t_be_allowed(make_project: MakeProject) -> None:
    folder = make_project({"pyproject.toml": '[tool.cannery.audit]\nallow = ["CAN999"]\n'})
    (folder / "image.tar").write_bytes(docker_archive([]))
    done = cannery("--image", "image.tar", cwd=folder)
    assert done.returncode == 2
    assert "allow names 'CAN999': there is no such rule" in done.stderr


@pytest.mark.parametrize("settings", ['audit = {alow = ["CAN101"]}', 'audit = {allow = ["source"]}', "audit = 1"])
def test_settings_of_the_audit_are_checked(make_project: MakeProject, settings: str) -> None:
    folder = make_project({"pyproject.toml": f"[tool.cannery]\n{settings}\n"})
    with pytest.raises(ConfigurationError):
        resolve_settings(read_project(folder))


@pytest.mark.parametrize(
    ("arguments", "code", "told"),
    [
        (["--image", "./gone.tar"], 8, "there is no image at ./gone.tar"),
        (["--image", "127.0.0.1:1/nobody/knows:this"], 10, "the registry 127.0.0.1:1 can't be reached"),
        (["--image", "pyproject.toml"], 8, "can't be read"),
        (["--image", "image.tar:other"], 8, "has no images called other"),
        (["--image", "image.tar", "--fail-on", "hihg"], 2, "did you mean 'high'?"),
    ],
)
def test_what_can_t_be_is_told_in_one_message(project: Path, arguments: list[str], code: int, told: str) -> None:
    done = cannery(*arguments, cwd=project)
    assert done.returncode == code, done.stderr
    assert told in done.stderr
    assert "Traceback" not in done.stderr


def test_the_documentation_has_every_kind_of_token() -> None:
    text = (Path(__file__).parents[2] / "docs" / "audit.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([^|`]+) \| (`[^|]+`) \|$", text.partition("## Kinds of tokens")[2], re.MULTILINE)
    documented = {(title, name) for title, names in rows for name in re.findall(r"`([^`]+)`", names)}
    assert documented == {(token.title, token.id) for token in TOKENS}

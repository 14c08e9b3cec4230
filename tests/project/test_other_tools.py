"""Requirements as Pipenv, PDM and conda write them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RequirementsError
from cannery.project.other_tools import groups_of, lines_of, python_of_pipenv

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.requirement_lines import RequirementLines

pytestmark = pytest.mark.once

PIPFILE = """
[[source]]
url = "https://pypi.org/simple"
name = "pypi"

[[source]]
url = "https://own.example/simple"
name = "own"

[packages]
flask = "*"
django = { version = ">=4", extras = ["argon2"] }
rich = { version = "==13", markers = "python_version < '4'", index = "own" }
win = { version = "*", sys_platform = "== 'win32'" }
mine = { path = "./lib", editable = true }
me = { path = ".", editable = true, extras = ["x"] }
far = { git = "https://git.example/far.git", ref = "v1" }

[dev-packages]
pytest = "*"

[docs]
sphinx = "*"

[requires]
python_version = "3.12"
"""

LOCK = {
    "_meta": {"sources": [{"url": "https://own.example/simple"}], "requires": {"python_full_version": "3.12.4"}},
    "default": {"flask": {"hashes": ["sha256:aa", "sha256:bb"], "version": "==3", "markers": "python_version >= '3'"}},
    "develop": {"pytest": {"hashes": ["sha256:cc"], "version": "==8"}},
}


def texts(lines: RequirementLines) -> list[str]:
    return [line.text for line in lines.lines]


def test_a_pipfile(tmp_path: Path) -> None:
    path = tmp_path / "Pipfile"
    path.write_text(PIPFILE)
    lines = lines_of(path, "pipenv", ())
    assert texts(lines) == [
        "flask",
        "django[argon2]>=4",
        "rich==13 ; (python_version < '4')",
        "win ; (sys_platform == 'win32')",
        "mine @ ./lib",
        ".[x]",
        "far @ git+https://git.example/far.git@v1",
    ]
    assert lines.options == ["--extra-index-url=https://own.example/simple"]
    assert texts(lines_of(path, "pipenv", ("dev", "docs")))[-2:] == ["pytest", "sphinx"]
    assert groups_of(path, "pipenv") == {"dev", "docs"}
    assert python_of_pipenv(path) == "==3.12.*"


def test_a_pipfile_lock(tmp_path: Path) -> None:
    path = tmp_path / "Pipfile.lock"
    path.write_text(json.dumps(LOCK))
    lines = lines_of(path, "pipenv", ())
    assert texts(lines) == ["flask==3 ; (python_version >= '3')"]
    assert lines.lines[0].hashes == ("sha256:aa", "sha256:bb")
    assert lines.options == ["--index-url=https://own.example/simple"]
    assert texts(lines_of(path, "pipenv", ("dev",)))[1:] == ["pytest==8"]
    assert groups_of(path, "pipenv") == {"dev"}
    assert python_of_pipenv(path) == "==3.12.4"


def test_a_pdm_lock(tmp_path: Path) -> None:
    path = tmp_path / "pdm.lock"
    path.write_text("""
[metadata]
groups = ["default", "test"]

[[package]]
name = "six"
version = "1.17.0"
groups = ["default"]
marker = "python_version > '3'"
files = [{ file = "six.whl", hash = "sha256:aa" }]

[[package]]
name = "pytest"
version = "8"
groups = ["test"]
files = [{ file = "pytest.whl", hash = "sha256:bb" }]
""")
    lines = lines_of(path, "pdm", ())
    assert texts(lines) == ["six==1.17.0 ; python_version > '3'"]
    assert lines.lines[0].hashes == ("sha256:aa",)
    assert texts(lines_of(path, "pdm", ("test",)))[1:] == ["pytest==8"]
    assert groups_of(path, "pdm") == {"test"}


def test_conda_s_part_for_pip_is_read_and_the_rest_is_told(tmp_path: Path) -> None:
    path = tmp_path / "environment.yml"
    path.write_text("""\
name: app
channels:
  - conda-forge  # usual
dependencies:
  - python=3.11
  - conda-forge::numpy>=1
  - pip
  - pip:
    - six>=1
    - "rich"
    - -r more.txt
  - scipy
variables:
  A: b
""")
    (tmp_path / "more.txt").write_text("idna\n")
    lines = lines_of(path, "conda", ())
    assert texts(lines) == ["six>=1", "rich", "idna"]
    assert len(lines.notes) == 1
    assert "numpy, scipy stay out" in lines.notes[0]


@pytest.mark.parametrize(("name", "kind"), [("Pipfile", "pipenv"), ("Pipfile.lock", "pipenv"), ("pdm.lock", "pdm")])
def test_what_cannot_be_read_is_an_error(tmp_path: Path, name: str, kind: str) -> None:
    path = tmp_path / name
    path.write_text("[")
    with pytest.raises(RequirementsError, match=f"{name} can't be read"):
        lines_of(path, "pdm" if kind == "pdm" else "pipenv", ())

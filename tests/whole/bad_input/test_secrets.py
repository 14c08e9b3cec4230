"""Secrets on their way into the image: refused by name, let in by name, and never shown."""

from __future__ import annotations

import gzip
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import app_layer
from tests.support.command import assert_refused, cannery
from tests.support.made_up_tokens import GITHUB

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

PEM = "-----BEGIN EC PRIVATE KEY-----\nopen-sesame\n-----END EC PRIVATE KEY-----\n"
SECRETS = {
    "pkg/.env": "TOKEN=open-sesame\n",
    "pkg/.git/config": "[remote]\nurl = https://me:open-sesame@git.example/x\n",
    "pkg/server.pem": PEM,
    "pkg/pip.conf": "[global]\nextra-index-url =\n  https://pypi.example/simple\n  https://open-sesame@pypi.example/simple\n",
    "pkg/requirements.txt": "--index-url https://me:open-sesame@pypi.example/simple\ntin\n",
}


@pytest.mark.parametrize("name", SECRETS)
def test_a_secret_is_refused_and_not_shown(make_project: MakeProject, name: str) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", name: SECRETS[name]})
    message = assert_refused(cannery("image", cwd=folder), 3)
    assert f"  {name}:" in message
    assert f"allow-secrets = ['{name}']" in message.splitlines()[-1]
    assert "open-sesame" not in message
    assert not (folder / "dist").exists()


def test_a_secret_goes_in_where_it_is_named(make_project: MakeProject) -> None:
    allowed = f"[tool.cannery]\nallow-secrets = {list(SECRETS)}\n"
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", "pyproject.toml": allowed, **SECRETS})
    outcome = cannery("image", cwd=folder)
    assert outcome.code == 0, outcome.stderr
    assert "open-sesame" not in outcome.stdout + outcome.stderr
    members = app_layer(folder / "dist" / "project.tar")
    assert {name: members[f"app/{name}"] for name in SECRETS} == {name: text.encode() for name, text in SECRETS.items()}


def test_a_secret_is_told_with_its_line_and_kind_and_goes_in_where_that_is_named(make_project: MakeProject) -> None:
    text = f"[service]\nname = 'shop'\ntoken = '{GITHUB}'\n"
    files = {"main.py": "import pkg", "pkg/__init__.py": "", "pkg/conf.toml": text}
    message = assert_refused(cannery("image", cwd=make_project(files)), 3)
    assert "  pkg/conf.toml:3: a token of GitHub [github-token]" in message
    assert GITHUB not in message
    for entry in ("pkg/conf.toml", "pkg/*.toml", "pkg/conf.toml:github-token"):
        settings = {"pyproject.toml": f"[tool.cannery]\nallow-secrets = [{entry!r}]\n"}
        assert cannery("image", cwd=make_project({**files, **settings})).code == 0
    settings = {"pyproject.toml": "[tool.cannery]\nallow-secrets = ['pkg/conf.toml:npm']\n"}
    assert_refused(cannery("image", cwd=make_project({**files, **settings})), 3)


def test_one_line_allows_all_that_was_found(make_project: MakeProject) -> None:
    texts = {"pkg/a.toml": f"token = '{GITHUB}'\n", "pkg/b.toml": f"token = '{GITHUB}'\n{PEM}"}
    files = {"main.py": "import pkg", "pkg/__init__.py": "", **texts}
    message = assert_refused(cannery("image", cwd=make_project(files)), 3)
    line = message.partition("[tool.cannery]  ")[2].strip()
    assert line.startswith("allow-secrets = ['pkg/a.toml', 'pkg/b.toml:")
    assert cannery("image", cwd=make_project({**files, "pyproject.toml": f"[tool.cannery]\n{line}\n"})).code == 0


def test_what_is_packed_is_looked_into(make_project: MakeProject) -> None:
    packed = gzip.compress(f"x = '{GITHUB}'\n".encode())
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    (folder / "pkg" / "data.gz").write_bytes(packed)
    message = assert_refused(cannery("image", cwd=folder), 3)
    assert "  pkg/data.gz: a token of GitHub, in data [github-token]" in message


def test_a_password_among_the_dependencies_is_refused(make_project: MakeProject) -> None:
    url = "https://me:open-sesame@files.example/tin-1.0-py3-none-any.whl"
    project = f'[project]\nname = "x"\nversion = "1"\ndependencies = ["tin @ {url}"]\n'
    message = assert_refused(cannery("image", cwd=make_project({"main.py": "", "pyproject.toml": project})), 3)
    assert "pyproject.toml: a package index's password" in message
    assert "open-sesame" not in message


def test_what_lies_in_the_project_and_not_in_the_app_is_left_alone(make_project: MakeProject) -> None:
    outside = {name.removeprefix("pkg/"): text for name, text in SECRETS.items() if "requirements" not in name}
    folder = make_project({"main.py": "", **outside})
    assert cannery("image", cwd=folder).code == 0
    assert not [name for name in app_layer(folder / "dist" / "project.tar") if name.removeprefix("app/") in outside]

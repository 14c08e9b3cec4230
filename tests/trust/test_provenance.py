"""What an image was built from, written as a statement and read back."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import TYPE_CHECKING

import pytest

from cannery.errors import UnprovenError
from cannery.project.git_source import GitSource, git_source
from cannery.trust.provenance import Material, Provenance
from cannery.trust.statement import PROVENANCE, Statement, Subject, artifact_of
from cannery.workspace.digest import Digest
from cannery.workspace.process import run

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SUBJECTS = (Subject(Digest("0" * 64), "shop"),)
SOURCE = GitSource("https://git.example/shop", "c" * 40, "services/shop", ("main.py",))
MADE = Provenance(
    SOURCE,
    {"recipe": "tiny"},
    {"uv.lock": "1" * 64},
    {"cannery": "0.1"},
    "3.13.5",
    "sha256:2",
    (Material("pkg:pypi/fire@0.7", "3" * 64, "fire 0.7", "the list of its files in the image"), Material("", "", "x")),
)


def test_what_is_said_is_read_back() -> None:
    statement = Statement.parse(MADE.statement(SUBJECTS).payload)
    assert statement.speaks_of(SUBJECTS[0].digest)
    assert not statement.speaks_of(Digest("1" * 64))
    assert Provenance.of(statement) == replace(MADE, materials=())


def test_it_has_the_form_of_slsa_and_no_time() -> None:
    predicate = json.loads(MADE.statement(SUBJECTS).payload)["predicate"]
    definition = predicate["buildDefinition"]
    assert definition["resolvedDependencies"] == [
        {"name": "source", "uri": f"git+https://git.example/shop@{'c' * 40}", "digest": {"gitCommit": "c" * 40}},
        {
            "uri": "pkg:pypi/fire@0.7",
            "name": "fire 0.7",
            "digest": {"sha256": "3" * 64},
            "annotations": {"digest of": "the list of its files in the image"},
        },
        {"name": "x"},
    ]
    assert definition["externalParameters"]["source"]["modified"] == ["main.py"]
    assert predicate["runDetails"] == {
        "builder": {"id": "https://cannery.dev/cannery", "version": {"cannery": "0.1"}},
    }
    artifact = artifact_of(MADE.statement(SUBJECTS), "provenance.json")
    assert artifact.annotations == {"in-toto.io/predicate-type": PROVENANCE}


@pytest.mark.parametrize(
    ("predicate", "told"),
    [
        ({}, "the provenance of the image is malformed"),
        ({"buildDefinition": {"buildType": "https://other.example", "externalParameters": {}}}, "isn't cannery's"),
    ],
)
def test_a_provenance_of_another_kind_is_told(predicate: dict[str, object], told: str) -> None:
    with pytest.raises(UnprovenError, match=told):
        Provenance.of(Statement(SUBJECTS, PROVENANCE, predicate))


@pytest.mark.parametrize(
    "broken",
    [b"x", b"{}", b'{"_type":"https://in-toto.io/Statement/v1","subject":[{"digest":{}}],"predicateType":"x"}'],
)
def test_what_is_no_statement_is_told(broken: bytes) -> None:
    with pytest.raises(UnprovenError, match="can't be read"):
        Statement.parse(broken)


def test_where_a_project_comes_from_is_asked_of_git(make_project: MakeProject) -> None:
    top = make_project({"services/shop/main.py": "print(1)\n", "services/shop/dist/old.tar": ""})
    folder = top / "services/shop"
    assert git_source(folder, run) is None
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for words in (("init", "-q"), ("add", "services/shop/main.py"), (*identity, "commit", "-qm", "one")):
        run(["git", "-C", str(top), *words])
    run(["git", "-C", str(top), "remote", "add", "origin", "https://user:secret@git.example/shop"])
    found = git_source(folder, run, ("dist",))
    assert found is not None
    assert (found.repository, found.folder, found.modified) == ("https://git.example/shop", "services/shop", ())
    (folder / "main.py").write_text("print(2)\n")
    (folder / "new.py").write_text("")
    found = git_source(folder, run, ("dist",))
    assert found is not None
    assert found.modified == ("services/shop/main.py", "services/shop/new.py")

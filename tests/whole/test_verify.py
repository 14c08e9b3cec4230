"""``cannery verify``: what is proven, and each way in which an image isn't what it's said to be."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import pytest

from cannery.image import Cache, Platform, pull
from cannery.image.artifact import attachment_of
from cannery.image.image import image_of
from cannery.image.media import Registry as Medium
from cannery.project.git_source import GitSource
from cannery.trust.evidence import evidence_signed
from cannery.trust.keys import SigningKey, VerifyingKey
from cannery.trust.provenance import Provenance
from cannery.trust.signers import KeySigner
from cannery.trust.statement import SIGNED, Statement, Subject
from cannery.workspace.digest import Digest
from tests.support.command import Outcome, assert_refused, cannery
from tests.support.signed_project import commit, make_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]


@dataclass(frozen=True)
class Shop:
    """A project whose image is signed."""

    folder: Path
    key: Path
    registry: Registry

    def reference(self, tag: str) -> str:
        return f"{self.registry.address}/team/{self.folder.parent.name}:{tag}"

    def push(self, tag: str, *words: str) -> dict[str, Any]:
        report: dict[str, Any] = cannery("push", "--json", *words, "--", self.reference(tag), cwd=self.folder).report
        return report

    def signed(self, tag: str) -> Digest:
        """Push the image with all that is said of it; returns its digest."""
        return Digest.parse(self.push(tag, "--attest", "--sign", str(self.key))["digest"])

    def verify(self, tag: str, *words: str, key: str | None = "key.pub") -> Outcome:
        asked = ("--key", str(self.folder.parent / key)) if key else ()
        return cannery("verify", self.reference(tag), *asked, *words, cwd=self.folder)

    def provenance(self, tag: str) -> Provenance:
        """What is said that the image was built from."""
        with Medium(self.reference(tag)) as registry:
            digest = Digest.of(registry.root())
            found = evidence_signed(registry, digest, VerifyingKey.read(f"{self.key}.pub"))
        return Provenance.of(found.provenances[0])

    def say(self, tag: str, *statements: Statement) -> None:
        """Sign ``statements``, whatever they say, and attach them to the image."""
        with Medium(self.reference(tag)) as registry:
            root = registry.root()
            subject = {"mediaType": json.loads(root)["mediaType"], "digest": str(Digest.of(root)), "size": len(root)}
            signer = KeySigner(SigningKey.read(str(self.key)))
            registry.attach(Digest.of(root), [attachment_of(signer.artifact(each), subject) for each in statements])


@pytest.fixture
def shop(make_project: MakeProject, registry: Registry) -> Shop:
    folder = make_project({"main.py": "print('hello')\n", ".gitignore": "dist\n"})
    commit(folder)
    return Shop(folder, make_key(folder.parent / "key"), registry)


def test_an_image_is_proven_by_building_its_commit_again_even_when_the_project_went_on(shop: Shop) -> None:
    digest = shop.signed("1")
    (shop.folder / "main.py").write_text("print('bye')\n")
    commit(shop.folder)
    report = shop.verify("1", "--json").report
    assert report["proven"]
    assert report["built"] == [str(digest)]
    assert report["differences"] == []


def test_an_image_from_another_commit_than_is_said_is_refused_with_the_file_and_the_bytes(shop: Shop) -> None:
    first = commit_of(shop)
    (shop.folder / "main.py").write_text("print('hullo')\n")
    commit(shop.folder)
    digest = Digest.parse(shop.push("1")["digest"])
    other = Provenance(GitSource("", first, ""), {"name": shop.folder.name}, tools={"cannery": "0"})
    subjects = (Subject(digest),)
    shop.say("1", other.statement(subjects), Statement(subjects, SIGNED))
    done = shop.verify("1")
    assert done.code == 15
    assert "changed  /app/main.pyc" in done.stdout
    assert "bytecode of main" in done.stdout
    assert "is not what its commit builds" in done.stderr
    assert "cannery 0 built it" in done.stderr


def commit_of(shop: Shop) -> str:
    (shop.folder / "more.txt").write_text("")
    return commit(shop.folder)


def test_what_is_refused_before_anything_is_built(shop: Shop) -> None:
    digest = shop.signed("1")
    reference = shop.reference("1")
    make_key(shop.folder.parent / "other")
    told = assert_refused(shop.verify("1", key="other.pub"), 15)
    assert f"no signature of {reference} is by" in told
    assert VerifyingKey.read(f"{shop.key}.pub").hint in told

    made = shop.provenance("1")
    assert made.source is not None
    for what, provenance, words in (
        ("lock", replace(made, locks={"uv.lock": "1" * 64}), "uv.lock: sha256 1111"),
        ("commit", replace(made, source=replace(made.source, commit="0" * 40)), "the commit 0000"),
        ("settings", replace(made, settings={**made.settings, "optimize": 2}), "optimize: None there, and built by 2"),
        ("files", replace(made, source=replace(made.source, modified=("main.py",))), "files that no commit has"),
        ("nothing", replace(made, source=None), "files that no repository has"),
    ):
        alone = shop.reference(what)
        with Medium(alone) as registry:
            image = image_of(pull(Medium(reference), Platform.parse("linux/amd64"), Cache(shop.folder.parent / what)))
            relabelled = replace(image, manifest={**image.manifest, "annotations": {"for": what}})
            registry.push(relabelled, [what])
        subjects = (Subject(relabelled.digest),)
        shop.say(what, provenance.statement(subjects), Statement(subjects, SIGNED))
        assert words in assert_refused(shop.verify(what), 15)
    assert (
        str(digest) in cannery("verify", reference, "--signed-only", "--key", f"{shop.key}.pub", cwd=shop.folder).stdout
    )


def test_statements_that_are_about_another_image_are_refused(shop: Shop) -> None:
    digest = shop.signed("1")
    (shop.folder / "main.py").write_text("print('evil')\n")
    evil = shop.push("2")["digest"]
    assert "nobody has signed" in assert_refused(shop.verify("2"), 15)
    assert "nothing says what" in assert_refused(shop.verify("2", key=None), 15)
    shop.say("2", shop.provenance("1").statement((Subject(digest),)), Statement((Subject(digest),), SIGNED))
    told = assert_refused(shop.verify("2"), 15)
    assert "is about another image" in told
    assert f"cannery diff {shop.reference('2').removesuffix(':2')}@{digest}" in told
    assert evil in told
    assert "is about another image" in assert_refused(shop.verify("2", key=None), 15)


def test_an_index_that_nothing_is_said_about_leads_to_its_images(shop: Shop) -> None:
    digest = shop.push("1", "--attest", "--sign", str(shop.key), "--update-index")["digest"]
    told = assert_refused(shop.verify("1"), 15)
    assert "nothing is said about the index" in told
    assert f"{shop.reference('1').removesuffix(':1')}@{digest}" in told
    reference = f"{shop.reference('1').removesuffix(':1')}@{digest}"
    done = cannery("verify", reference, "--signed-only", "--key", f"{shop.key}.pub", cwd=shop.folder)
    assert done.code == 0, done.stderr


def test_a_blob_of_which_one_byte_was_changed_is_refused(shop: Shop) -> None:
    report = shop.push("1", "--attest", "--sign", str(shop.key))
    layer = next(each for each in report["pushed"][0]["blobs"] if each["name"] == "app")
    path = shop.registry.blob(layer["digest"].removeprefix("sha256:"))
    before = path.read_bytes()
    try:
        path.write_bytes(before[:-1] + bytes([before[-1] ^ 1]))
        told = assert_refused(shop.verify("1"), 8)
    finally:
        path.write_bytes(before)
    assert "is not what its digest says" in told
    assert layer["digest"] in told
    assert "all of its files are the same: what was changed lies around them" in told  # gzip's own size, at the end


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--signed-only",), 2, "no key is named"),
        (("--key", "none.pub"), 2, "there is no key none.pub"),
        (("--key", "main.py"), 2, "main.py is no public key"),
    ],
)
def test_a_question_that_cannot_be_answered_is_one_message(
    shop: Shop, words: tuple[str, ...], code: int, told: str
) -> None:
    assert told in assert_refused(cannery("verify", shop.reference("1"), *words, cwd=shop.folder), code)

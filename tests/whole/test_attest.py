"""``cannery push --attest --sign``: what is attached to an image in a real registry; cosign, oras and crane judge."""

from __future__ import annotations

import base64
import json
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

from cannery.image.media import Registry as Medium
from cannery.workspace.digest import Digest
from tests.support.command import assert_refused, cannery
from tests.support.judges import judged
from tests.support.signed_project import commit, make_key

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]


# A signer, whose "signature" is a text.
SIGNER = """#!{python}
import hashlib, io, json, sys, tarfile
subject = json.load(sys.stdin)
def about(data, kind): return dict(mediaType=kind, digest="sha256:" + hashlib.sha256(data).hexdigest(), size=len(data))
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
manifest = json.dumps(dict(schemaVersion=2, mediaType=MANIFEST, artifactType="text/x-signature", subject=subject,
    config=about(b"{{}}", "application/vnd.oci.empty.v1+json"),
    layers=[about(b"by hand", "text/x-signature")])).encode()
files = {{"oci-layout": b"{{}}", "index.json": json.dumps(dict(manifests=[about(manifest, MANIFEST)])).encode()}}
files |= {{"blobs/sha256/" + hashlib.sha256(data).hexdigest(): data for data in (manifest, b"by hand", b"{{}}")}}
with tarfile.open(fileobj=sys.stdout.buffer, mode="w|") as archive:
    for name, data in files.items():
        member = tarfile.TarInfo(name); member.size = len(data); archive.addfile(member, io.BytesIO(data))
"""


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    """A project in a repository of Git, with a key beside it."""
    folder = make_project({"main.py": "print('hello')\n", ".gitignore": "dist\n"})
    commit(folder)
    make_key(folder.parent / "key")
    return folder


def pushed(project: Path, reference: str, *words: str) -> dict[str, Any]:
    report: dict[str, Any] = cannery("push", "--json", *words, "--", reference, cwd=project).report
    return report


def test_what_is_attached_is_accepted_by_others_and_sent_once(project: Path, registry: Registry) -> None:
    reference = f"{registry.address}/team/signed:1"
    words = ("--attest", "--sign", "../key")
    first = pushed(project, reference, *words)
    assert [each["what"] for each in first["attached"]] == [
        "bill of materials (CycloneDX)", "bill of materials (SPDX)", "bill of materials, signed", "provenance, signed",
        "signature",
    ]  # fmt: skip
    again = pushed(project, reference, *words)
    assert [each["bytes_sent"] for each in again["attached"]] == [0] * 5
    assert again["digest"] == first["digest"] == pushed(project, reference)["digest"]

    key = ("--key", str(project.parent / "key.pub"), "--insecure-ignore-tlog", "--allow-http-registry")
    judged("cosign", "verify", *key, reference)
    statement = judged("cosign", "verify-attestation", "--type", "slsaprovenance1", *key, reference)
    payload = json.loads(base64.b64decode(json.loads(statement)["payload"]))
    assert payload["subject"][0]["digest"] == {"sha256": first["digest"].removeprefix("sha256:")}
    judged("cosign", "verify-attestation", "--type", "cyclonedx", *key, reference)
    found = json.loads(judged("oras", "discover", "--plain-http", "--format", "json", reference))
    assert len(found["referrers"]) == 5
    manifest = json.loads(judged("crane", "manifest", "--insecure", reference))
    assert "subject" not in manifest


def test_a_signature_alone_says_who_and_no_more(project: Path, registry: Registry) -> None:
    report = pushed(project, f"{registry.address}/team/alone:1", "--sign", "../key")
    assert [each["what"] for each in report["attached"]] == ["signature"]


def test_without_a_key_nothing_is_signed_and_settings_say_so_too(project: Path, registry: Registry) -> None:
    (project / "pyproject.toml").write_text("[tool.cannery]\nattest = true\n")
    report = pushed(project, f"{registry.address}/team/unsigned:1")
    assert [each["what"] for each in report["attached"]] == [
        "bill of materials (CycloneDX)", "bill of materials (SPDX)", "provenance",
    ]  # fmt: skip


def test_two_clones_in_different_folders_attach_the_same(project: Path, registry: Registry) -> None:
    (project / "pyproject.toml").write_text('[tool.cannery]\nname = "shop"\n')
    commit(project)
    other = project.parent / "elsewhere" / "clone"
    subprocess.run(["git", "clone", "-q", str(project), str(other)], check=True)
    words = ("--attest", "--sign", str(project.parent / "key"))
    one, two = (pushed(folder, f"{registry.address}/team/{folder.name}:1", *words) for folder in (project, other))
    assert one["digest"] == two["digest"]
    assert [each["digest"] for each in one["attached"]] == [each["digest"] for each in two["attached"]]
    assert not [note for note in one["notes"] if "commit" in note]

    (other / "main.py").write_text("print('not committed')\n")
    notes = pushed(other, f"{registry.address}/team/{other.name}:2", *words)["notes"]
    assert "no commit has main.py as built from: verify will refuse this image" in notes


def test_a_program_signs_the_image_and_what_is_attached_to_it(project: Path, registry: Registry) -> None:
    program = project.parent / "signer"
    program.write_text(SIGNER.format(python=sys.executable))
    program.chmod(0o755)
    reference = f"{registry.address}/team/program:1"
    report = pushed(project, reference, "--attest", "--signer", str(program))
    said = ["bill of materials (CycloneDX)", "bill of materials (SPDX)", "provenance"]
    signed = [f"signature of the {each}" for each in said]
    assert [each["what"] for each in report["attached"]] == [*said, "signature", *signed]
    artifacts = {each["what"]: each["digest"] for each in report["attached"]}
    subjects = {each["what"]: each["subject"] for each in report["attached"]}
    assert subjects["signature"] == subjects["provenance"] == report["digest"]
    assert subjects["signature of the provenance"] == artifacts["provenance"]
    with Medium(f"{reference.rpartition(':')[0]}@{report['digest']}") as medium:
        (signature,) = medium.referrers(Digest.parse(artifacts["provenance"]))
    assert signature["digest"] == artifacts["signature of the provenance"]


def test_which_known_vulnerabilities_cannot_be_in_it_is_attached(project: Path, registry: Registry) -> None:
    package = {"ecosystem": "PyPI", "name": "requests"}
    listed = [{"id": "TEST-1", "modified": "2026-01-02T00:00:00Z", "affected": [{"package": package}]}]
    (project.parent / "known.json").write_text(json.dumps(listed))
    reference = f"{registry.address}/team/vex:1"
    report = pushed(project, reference, "--vex", "../known.json", "--sign", "../key")
    assert [each["what"] for each in report["attached"]] == [
        "vulnerabilities (OpenVEX)", "vulnerabilities, signed", "signature",
    ]  # fmt: skip
    key = ("--key", str(project.parent / "key.pub"), "--insecure-ignore-tlog", "--allow-http-registry")
    statement = judged("cosign", "verify-attestation", "--type", "openvex", *key, reference)
    said = json.loads(base64.b64decode(json.loads(statement)["payload"]))["predicate"]["statements"][0]
    assert (said["status"], said["justification"]) == ("not_affected", "vulnerable_code_not_present")


@pytest.mark.parametrize(
    ("words", "code", "told"),
    [
        (("--sign", "../none"), 2, "there is no key ../none"),
        (("--sign", "main.py"), 2, "main.py is no private key"),
        (("--sign", "../key", "--signer", "false"), 2, "both a key and a program are to sign"),
        (("--vex", "main.py"), 2, "main.py is no list of vulnerabilities"),
        (("--signer", "false"), 7, "the signer 'false' failed with exit code 1, and nothing was attached"),
        (("--signer", "echo nonsense"), 7, "the signer 'echo nonsense' does not write what can be attached"),
    ],
)
def test_what_cannot_sign_is_one_message_and_nothing_is_pushed(
    project: Path, registry: Registry, words: tuple[str, ...], code: int, told: str
) -> None:
    reference = f"{registry.address}/team/refused:1"
    assert told in assert_refused(cannery("push", *words, "--", reference, cwd=project), code)
    assert not (registry.data / "docker/registry/v2/repositories/team/refused/_manifests").exists()

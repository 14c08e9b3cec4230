"""Programs that sign, and sigstore's, which is not reached here."""

from __future__ import annotations

import stat
import sys
import textwrap
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Self

import pytest

from cannery.errors import ToolError
from cannery.trust.signers import KeylessSigner, signed_by_program
from cannery.trust.statement import SIGNED, Statement, Subject
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

SUBJECT = {"mediaType": "application/vnd.oci.image.manifest.v1+json", "digest": f"sha256:{'0' * 64}", "size": 5}
# A signer: its "signature" is a text, and CHANGED stands where a test has it do something wrong.
PROGRAM = """\
    #!{python}
    import hashlib, io, json, sys, tarfile
    subject = json.load(sys.stdin)
    def named(data): return "sha256:" + hashlib.sha256(data).hexdigest()
    def about(data, kind): return {{"mediaType": kind, "digest": named(data), "size": len(data)}}
    def write(name, data):
        member = tarfile.TarInfo(name); member.size = len(data); archive.addfile(member, io.BytesIO(data))
    signature = b"signed by hand"
    {changed}
    manifest = json.dumps({{"schemaVersion": 2, "artifactType": "text/x-signature", "subject": subject,
        "config": about(b"{{}}", "application/vnd.oci.empty.v1+json"),
        "layers": [about(signature, "text/x-signature")]}}).encode()
    index = json.dumps({{"manifests": [about(manifest, "application/vnd.oci.image.manifest.v1+json")]}}).encode()
    archive = tarfile.open(fileobj=sys.stdout.buffer, mode="w|")
    write("oci-layout", b"{{}}"); write("index.json", index)
    for data in (manifest, signature, b"{{}}"):
        write("blobs/sha256/" + named(data)[7:], data)
    archive.close()
"""


def signer(folder: Path, changed: str = "") -> str:
    """A program that signs."""
    path = folder / "signer"
    path.write_text(textwrap.dedent(PROGRAM).format(python=sys.executable, changed=changed))
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return str(path)


def test_what_a_program_makes_of_a_descriptor_is_attached(tmp_path: Path) -> None:
    (attachment,) = signed_by_program(signer(tmp_path), SUBJECT)
    assert {bytes(data) for data in attachment.blobs.values()} == {b"{}", b"signed by hand"}
    assert str(attachment.digest).startswith("sha256:")


@pytest.mark.parametrize(
    ("changed", "told"),
    [
        ("sys.exit('no key')", "failed with exit code 1, and nothing was attached"),
        ("print('nonsense'); sys.exit()", "does not write what can be attached"),
        ("sys.exit()", "does not write what can be attached"),
        ("subject['digest'] = 'sha256:' + '1' * 64", "does not write what can be attached"),
        ("named = lambda data: 'sha256:' + '2' * 64", "does not write what can be attached"),
    ],
)
def test_a_program_that_does_something_else_is_one_message(tmp_path: Path, changed: str, told: str) -> None:
    with pytest.raises(ToolError, match=told):
        signed_by_program(signer(tmp_path, changed), SUBJECT)


def test_what_a_program_says_is_told(tmp_path: Path) -> None:
    with pytest.raises(ToolError) as failed:
        signed_by_program(signer(tmp_path, "sys.exit('no key in the safe')"), SUBJECT)
    assert failed.value.evidence == "no key in the safe"
    with pytest.raises(ToolError, match="there is no program"):
        signed_by_program("no-such-signer", SUBJECT)


class _Signing:
    """Stands for sigstore's own context, which would ask its servers."""

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def signer(self, _: object) -> _Signing:
        return self

    def sign_dsse(self, statement: bytes) -> SimpleNamespace:
        return SimpleNamespace(to_json=lambda: f"signed {len(statement)} bytes")


def sigstore(monkeypatch: pytest.MonkeyPatch, token: str | None, signing: Any) -> None:
    """Let modules stand for those of the extra."""
    modules: dict[str, Any] = {
        "sigstore.dsse": SimpleNamespace(Statement=lambda payload: payload),
        "sigstore.models": SimpleNamespace(ClientTrustConfig=SimpleNamespace(production=lambda: None)),
        "sigstore.oidc": SimpleNamespace(detect_credential=lambda _: token, IdentityToken=lambda *words: words),
        "sigstore.sign": SimpleNamespace(SigningContext=SimpleNamespace(from_trust_config=signing)),
    }
    top = SimpleNamespace(__path__=[], **{name.partition(".")[2]: module for name, module in modules.items()})
    for name, module in {"sigstore": top, **modules}.items():
        monkeypatch.setitem(sys.modules, name, module)


def test_whoever_is_logged_in_signs_by_sigstore(monkeypatch: pytest.MonkeyPatch) -> None:
    sigstore(monkeypatch, "a token", lambda _: _Signing())
    statement = Statement((Subject(Digest("0" * 64)),), SIGNED)
    artifact = KeylessSigner().artifact(statement)
    assert artifact.content == f"signed {len(statement.payload)} bytes".encode()
    assert artifact.type == "application/vnd.dev.sigstore.bundle.v0.3+json"


def test_nobody_logged_in_and_a_server_that_is_not_reached_are_one_message(monkeypatch: pytest.MonkeyPatch) -> None:
    statement = Statement((Subject(Digest("0" * 64)),), SIGNED)
    sigstore(monkeypatch, None, lambda _: _Signing())
    with pytest.raises(ToolError, match="nobody is logged in"):
        KeylessSigner().artifact(statement)

    def unreachable(_: object) -> None:
        raise ConnectionError("no route to host")

    sigstore(monkeypatch, "a token", unreachable)
    with pytest.raises(ToolError, match="sigstore signs nothing") as failed:
        KeylessSigner().artifact(statement)
    assert "no route to host" in failed.value.evidence

"""Who is known to sigstore is asked for by name and issuer; its client, which stands in here, decides who signed."""

from __future__ import annotations

import sys
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from cannery.errors import ToolError
from cannery.trust.bundle import SignedStatement
from cannery.trust.keyless import SigstoreIdentity
from cannery.trust.keys import SigningKey
from cannery.trust.signers import KeySigner
from cannery.trust.statement import IN_TOTO, SIGNED, Statement, Subject
from cannery.workspace.digest import Digest
from tests.support.command import assert_refused, cannery
from tests.support.signed_project import make_key

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

pytestmark = pytest.mark.once

TEAM = ("https://github.com/team/app/.github/workflows/release.yml@refs/heads/main", "https://issuer.example")
STATEMENT = Statement((Subject(Digest("0" * 64)),), SIGNED)


class SigstoreError(Exception):
    """Stands for the client's own, which is the class of all that it refuses."""


class Asked(NamedTuple):
    """Stands for the client's policy of one identity."""

    identity: str
    issuer: str


class Client:
    """Stands for the client, for which TEAM alone has signed."""

    def __init__(self, *, changed: bool = False) -> None:
        self.changed = changed

    def verify_dsse(self, bundle: SignedStatement, policy: Asked) -> tuple[str, bytes]:
        if tuple(policy) != TEAM:
            raise SigstoreError("the certificate is somebody else's")
        return IN_TOTO, b"{}" if self.changed else bundle.payload


def sigstore(monkeypatch: pytest.MonkeyPatch, production: Callable[[], Any]) -> None:
    """Let modules stand for those of the extra."""
    policy = SimpleNamespace(Identity=Asked)
    modules: dict[str, Any] = {
        "sigstore.errors": SimpleNamespace(Error=SigstoreError),
        "sigstore.models": SimpleNamespace(Bundle=SimpleNamespace(from_json=SignedStatement.parse)),
        "sigstore.verify": SimpleNamespace(__path__=[], Verifier=SimpleNamespace(production=production), policy=policy),
        "sigstore.verify.policy": policy,
    }
    top = SimpleNamespace(
        __path__=[], **{name.split(".")[1]: each for name, each in modules.items() if name.count(".") == 1}
    )
    for name, module in {"sigstore": top, **modules}.items():
        monkeypatch.setitem(sys.modules, name, module)


@pytest.fixture
def bundle(tmp_path: Path) -> SignedStatement:
    make_key(tmp_path / "key")
    return SignedStatement.parse(KeySigner(SigningKey.read(str(tmp_path / "key"))).artifact(STATEMENT).content)


def test_a_statement_counts_where_the_name_and_its_issuer_are_those_that_were_asked_for(
    monkeypatch: pytest.MonkeyPatch, bundle: SignedStatement
) -> None:
    sigstore(monkeypatch, Client)
    assert bundle.statement_by(SigstoreIdentity(*TEAM)) == STATEMENT
    assert bundle.statement_by(SigstoreIdentity("somebody@example.com", TEAM[1])) is None
    assert bundle.statement_by(SigstoreIdentity(TEAM[0], "https://another.example")) is None


def test_what_was_signed_has_to_be_what_is_read(monkeypatch: pytest.MonkeyPatch, bundle: SignedStatement) -> None:
    sigstore(monkeypatch, lambda: Client(changed=True))
    assert bundle.statement_by(SigstoreIdentity(*TEAM)) is None


def test_keys_that_cannot_be_had_and_a_missing_client_are_one_message(
    monkeypatch: pytest.MonkeyPatch, bundle: SignedStatement
) -> None:
    def unreachable() -> None:
        raise ConnectionError("no route to host")

    sigstore(monkeypatch, unreachable)
    with pytest.raises(ToolError, match="list of trusted keys can't be had") as failed:
        bundle.statement_by(SigstoreIdentity(*TEAM))
    assert "no route to host" in failed.value.evidence
    monkeypatch.setitem(sys.modules, "sigstore.verify", None)
    with pytest.raises(ToolError, match="not installed") as failed:
        bundle.statement_by(SigstoreIdentity(*TEAM))
    assert "[sigstore]" in failed.value.step


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--identity=me@example.com",), "--identity and --issuer go together"),
        (("--issuer=https://issuer.example",), "--identity and --issuer go together"),
        (
            ("--identity=me@example.com", "--issuer=https://issuer.example", "--key=key.pub"),
            "both a key and an identity",
        ),
        (("--signed-only",), "no key is named"),
    ],
)
def test_what_is_asked_for_in_half_is_told(words: tuple[str, ...], told: str, tmp_path: Path) -> None:
    assert told in assert_refused(cannery("verify", "127.0.0.1:1/team/app:1", *words, cwd=tmp_path), 2)

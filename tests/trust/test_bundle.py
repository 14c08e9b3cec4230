"""Statements signed by keys, in the form that cosign reads."""

from __future__ import annotations

import base64
import hashlib
import json
from typing import TYPE_CHECKING, Any

import nacl.secret
import pytest
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    KeySerializationEncryption,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from cannery.errors import ConfigurationError, UnprovenError
from cannery.trust.bundle import BUNDLE, SignedStatement, artifact_of_bundle, pre_authentication, signed
from cannery.trust.keys import PASSWORD, SigningKey, VerifyingKey
from cannery.trust.statement import PROVENANCE, SIGNED, Statement, Subject
from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

STATEMENT = Statement((Subject(Digest("0" * 64), "shop"),), SIGNED)
Private = ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey


@pytest.fixture(autouse=True)
def _no_password(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in PASSWORD:
        monkeypatch.delenv(name, raising=False)


def pem(key: Private, encryption: KeySerializationEncryption | None = None) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption or NoEncryption())


def public_pem(key: Private) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.fixture
def private() -> ec.EllipticCurvePrivateKey:
    return ec.generate_private_key(ec.SECP256R1())


@pytest.fixture
def key(private: ec.EllipticCurvePrivateKey, tmp_path: Path) -> str:
    (tmp_path / "key").write_bytes(pem(private))
    (tmp_path / "key.pub").write_bytes(public_pem(private))
    return str(tmp_path / "key")


def test_a_signed_statement_is_the_same_each_time_and_is_read_by_its_key_alone(key: str, tmp_path: Path) -> None:
    made = signed(STATEMENT, SigningKey.read(key))
    assert made == signed(STATEMENT, SigningKey.read(key))
    bundle = SignedStatement.parse(made)
    public = VerifyingKey.read(f"{key}.pub")
    assert bundle.statement_by(public) == STATEMENT
    assert bundle.hint == public.hint
    (tmp_path / "other.pub").write_bytes(public_pem(ec.generate_private_key(ec.SECP256R1())))
    assert bundle.statement_by(VerifyingKey.read(str(tmp_path / "other.pub"))) is None


def test_a_statement_that_was_changed_is_not_what_was_signed(key: str) -> None:
    document = json.loads(signed(STATEMENT, SigningKey.read(key)))
    other = Statement((Subject(Digest("1" * 64)),), SIGNED)
    document["dsseEnvelope"]["payload"] = base64.b64encode(other.payload).decode()
    assert SignedStatement.parse(json.dumps(document).encode()).statement_by(VerifyingKey.read(f"{key}.pub")) is None


def test_the_form_is_that_of_sigstore(key: str) -> None:
    public = VerifyingKey.read(f"{key}.pub")
    document = json.loads(signed(STATEMENT, SigningKey.read(key)))
    assert document["mediaType"] == BUNDLE
    assert document["verificationMaterial"] == {"publicKey": {"hint": public.hint}}
    assert document["dsseEnvelope"]["payloadType"] == "application/vnd.in-toto+json"
    assert json.loads(base64.b64decode(document["dsseEnvelope"]["payload"])) == {
        "_type": "https://in-toto.io/Statement/v1",
        "subject": [{"name": "shop", "digest": {"sha256": "0" * 64}}],
        "predicateType": "https://sigstore.dev/cosign/sign/v1",
        "predicate": {},
    }
    assert artifact_of_bundle(b"{}", PROVENANCE).annotations == {
        "dev.sigstore.bundle.content": "dsse-envelope",
        "dev.sigstore.bundle.predicateType": "https://slsa.dev/provenance/v1",
    }


def test_what_is_signed_is_told_with_its_type() -> None:
    assert pre_authentication("http://example.com/HelloWorld", b"hello world") == (
        b"DSSEv1 29 http://example.com/HelloWorld 11 hello world"  # the specification's own example
    )


@pytest.mark.parametrize("broken", [b"", b"[]", b'{"mediaType": "x"}', b"{", b'{"mediaType":"x","dsseEnvelope":{}}'])
def test_what_is_no_bundle_is_told(broken: bytes) -> None:
    with pytest.raises(UnprovenError, match="can't be read"):
        SignedStatement.parse(broken)


def test_a_key_with_a_password_is_read_with_it(
    private: ec.EllipticCurvePrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "locked"
    path.write_bytes(pem(private, BestAvailableEncryption(b"sesame")))
    with pytest.raises(ConfigurationError, match="has a password"):
        SigningKey.read(str(path))
    monkeypatch.setenv("CANNERY_KEY_PASSWORD", "wrong")
    with pytest.raises(ConfigurationError, match="is no private key"):
        SigningKey.read(str(path))
    monkeypatch.setenv("CANNERY_KEY_PASSWORD", "sesame")
    assert SigningKey.read(str(path)).sign(b"x")


def test_a_password_for_a_key_that_has_none_does_no_harm(key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COSIGN_PASSWORD", "sesame")
    assert SigningKey.read(key).sign(b"x")


def cosign_key(private: ec.EllipticCurvePrivateKey, password: bytes) -> bytes:
    """A key as cosign writes it."""
    salt, nonce, work = b"s" * 32, b"n" * 24, {"N": 1 << 12, "r": 8, "p": 1}
    made = hashlib.scrypt(password, salt=salt, n=work["N"], r=work["r"], p=work["p"], dklen=32)
    der = private.private_bytes(Encoding.DER, PrivateFormat.PKCS8, NoEncryption())
    document: dict[str, Any] = {
        "kdf": {"name": "scrypt", "params": work, "salt": base64.b64encode(salt).decode()},
        "cipher": {"name": "nacl/secretbox", "nonce": base64.b64encode(nonce).decode()},
        "ciphertext": base64.b64encode(nacl.secret.SecretBox(made).encrypt(der, nonce).ciphertext).decode(),
    }
    text = base64.encodebytes(json.dumps(document).encode())
    kind = b"ENCRYPTED SIGSTORE PRIVATE KEY"
    return b"-----BEGIN %b-----\n%b-----END %b-----\n" % (kind, text, kind)


def test_a_key_in_cosigns_own_form_is_read(
    private: ec.EllipticCurvePrivateKey, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "cosign.key"
    path.write_bytes(cosign_key(private, b"sesame"))
    with pytest.raises(ConfigurationError, match="the password does not fit"):
        SigningKey.read(str(path))
    monkeypatch.setenv("COSIGN_PASSWORD", "sesame")
    (tmp_path / "key.pub").write_bytes(public_pem(private))
    assert SigningKey.read(str(path)).public.hint == VerifyingKey.read(str(tmp_path / "key.pub")).hint


def test_a_key_is_read_from_a_variable(private: ec.EllipticCurvePrivateKey, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("THE_KEY", pem(private).decode())
    assert SigningKey.read("env://THE_KEY").sign(b"x")
    with pytest.raises(ConfigurationError, match="the variable NO_KEY has no key in it"):
        SigningKey.read("env://NO_KEY")


def test_what_is_no_key_is_told_with_a_line_that_makes_one(tmp_path: Path, key: str) -> None:
    (tmp_path / "noise").write_bytes(b"noise")
    for name in ("noise", "none"):
        with pytest.raises(ConfigurationError) as told:
            SigningKey.read(str(tmp_path / name))
        assert "openssl genpkey" in told.value.step
    with pytest.raises(ConfigurationError, match="is a private key, and a public one is asked for"):
        VerifyingKey.read(key)


@pytest.mark.parametrize("other", [ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)])
def test_keys_of_another_kind_are_told(other: Private, tmp_path: Path) -> None:
    (tmp_path / "key").write_bytes(pem(other))
    (tmp_path / "key.pub").write_bytes(public_pem(other))
    with pytest.raises(ConfigurationError, match="is no key of ECDSA with P-256"):
        SigningKey.read(str(tmp_path / "key"))
    with pytest.raises(ConfigurationError, match="is no key of ECDSA with P-256"):
        VerifyingKey.read(str(tmp_path / "key.pub"))

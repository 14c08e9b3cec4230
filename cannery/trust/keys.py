"""Keys that sign and that tell whether they did: ECDSA with P-256 and SHA-256, as cosign has them."""

from __future__ import annotations

import base64
import hashlib
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ConfigurationError, ToolError
from cannery.workspace.extras import installing
from cannery.workspace.files import explained, user_path

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey, EllipticCurvePublicKey

    from cannery.trust.bundle import SignedStatement

__all__ = ["PASSWORD", "SigningKey", "VerifyingKey"]

PASSWORD: Final = ("CANNERY_KEY_PASSWORD", "COSIGN_PASSWORD")  # variables, the first of which goes before the other

_VARIABLE: Final = "env://"  # begins the name of a variable that has a key in it, as cosign has it
_LARGEST: Final = 1 << 16  # bytes of a key's file
_MAKE_ONE: Final = "make one:  openssl genpkey -algorithm EC -pkeyopt ec_paramgen_curve:P-256 -out cannery.key"


@dataclass(frozen=True, slots=True)
class VerifyingKey:
    """The public part of a key."""

    _key: EllipticCurvePublicKey
    name: str  # where it was found, for messages

    @classmethod
    def read(cls, name: str) -> VerifyingKey:
        """The public key in the file ``name``, or in a variable (``env://NAME``); PEM.

        Raises :class:`ConfigurationError` for what is none, :class:`ToolError` where the extra isn't installed.
        """
        _need_cryptography()
        from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415  # slow to import
        from cryptography.hazmat.primitives.serialization import load_pem_public_key  # noqa: PLC0415

        text = _text_of(name)
        if b"PRIVATE KEY" in text:
            step = "openssl pkey -in KEY -pubout -out KEY.pub, and hand that one out"
            raise ConfigurationError(f"{name} is a private key, and a public one is asked for", step=step)
        try:
            key = load_pem_public_key(text)
        except (ValueError, UnsupportedAlgorithm) as error:
            raise ConfigurationError(f"{name} is no public key", evidence=str(error), step=_MAKE_ONE) from error
        return cls(_of_p256(key, name), name)

    @property
    def hint(self) -> str:
        """What tells it from others: the digest of its form in DER, as cosign writes it into bundles."""
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat  # noqa: PLC0415

        der = self._key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return base64.b64encode(hashlib.sha256(der).digest()).decode()

    def signed(self, bundle: SignedStatement) -> bool:
        """True where the key signed the statement in ``bundle``."""
        return any(self.verifies(each, bundle.message) for each in bundle.signatures)

    def verifies(self, signature: bytes, message: bytes) -> bool:
        """True where the key signed ``message``."""
        from cryptography.exceptions import InvalidSignature  # noqa: PLC0415
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        try:
            self._key.verify(signature, message, ECDSA(SHA256()))
        except InvalidSignature:
            return False
        return True


@dataclass(frozen=True, slots=True)
class SigningKey:
    """A private key."""

    _key: EllipticCurvePrivateKey
    public: VerifyingKey

    @classmethod
    def read(cls, name: str) -> SigningKey:
        """The private key in the file ``name``, or in a variable (``env://NAME``): PEM, or as ``cosign`` makes them.

        A password is taken from :data:`PASSWORD`. Raises as :meth:`VerifyingKey.read` does.
        """
        _need_cryptography()
        text, password = _text_of(name), _password()
        if b"SIGSTORE PRIVATE KEY" in text or b"COSIGN PRIVATE KEY" in text:
            from cannery.trust.cosign_key import der_in  # noqa: PLC0415  # most keys have another form

            key = _loaded(der_in(text, password, name), None, name)
        else:
            key = _loaded(text, password, name)
        return cls(key, VerifyingKey(key.public_key(), name))

    def sign(self, message: bytes) -> bytes:
        """The signature of ``message``, which is the same each time (RFC 6979)."""
        from cryptography.hazmat.primitives.asymmetric.ec import ECDSA  # noqa: PLC0415
        from cryptography.hazmat.primitives.hashes import SHA256  # noqa: PLC0415

        return self._key.sign(message, ECDSA(SHA256(), deterministic_signing=True))


def _loaded(data: bytes, password: bytes | None, name: str) -> EllipticCurvePrivateKey:
    from cryptography.exceptions import UnsupportedAlgorithm  # noqa: PLC0415
    from cryptography.hazmat.primitives.serialization import (  # noqa: PLC0415
        load_der_private_key,
        load_pem_private_key,
    )

    load = load_pem_private_key if data.lstrip().startswith(b"-----") else load_der_private_key
    try:
        try:
            return _private_of_p256(load(data, password), name)
        except TypeError:  # a password for a key that has none
            if not password:
                raise
            return _private_of_p256(load(data, None), name)
    except TypeError as error:
        raise ConfigurationError(f"the key {name} has a password", step=f"set {PASSWORD[0]}") from error
    except (ValueError, UnsupportedAlgorithm) as error:
        step = f"correct {PASSWORD[0]}, or {_MAKE_ONE}" if password else _MAKE_ONE
        raise ConfigurationError(f"{name} is no private key", evidence=str(error), step=step) from error


def _private_of_p256(key: Any, name: str) -> EllipticCurvePrivateKey:
    from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePrivateKey  # noqa: PLC0415

    if not isinstance(key, EllipticCurvePrivateKey):
        raise _other_kind(name, type(key).__name__)
    _of_p256(key.public_key(), name)
    return key


def _of_p256(key: Any, name: str) -> EllipticCurvePublicKey:
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey  # noqa: PLC0415

    if not isinstance(key, EllipticCurvePublicKey) or not isinstance(key.curve, SECP256R1):
        raise _other_kind(name, getattr(getattr(key, "curve", None), "name", type(key).__name__))
    return key


def _other_kind(name: str, kind: str) -> ConfigurationError:
    return ConfigurationError(f"{name} is no key of ECDSA with P-256", evidence=f"it is of {kind}", step=_MAKE_ONE)


def _text_of(name: str) -> bytes:
    if name.startswith(_VARIABLE):
        variable = name.removeprefix(_VARIABLE)
        if not (found := os.environ.get(variable)):
            raise ConfigurationError(f"the variable {variable} has no key in it", step=f"set it, or {_MAKE_ONE}")
        return found.encode()
    path = user_path(name)
    if not path.is_file():
        raise ConfigurationError(f"there is no key {name}", step=_MAKE_ONE)
    with explained(path, "read"), path.open("rb") as file:
        return file.read(_LARGEST)


def _password() -> bytes | None:
    return next((value.encode() for name in PASSWORD if (value := os.environ.get(name))), None)


def _need_cryptography() -> None:
    from importlib.util import find_spec  # noqa: PLC0415

    if find_spec("cryptography") is None:
        raise ToolError("cryptography is not installed, which signs and compares signatures", step=installing("sign"))

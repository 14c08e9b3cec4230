"""Keys, keystores and documents that hold credentials, of noise, and archives to pack them in."""

from __future__ import annotations

import base64
import gzip
import io
import json
import random
import tarfile
import zipfile

from tests.support.bad_images import file
from tests.support.made_up_tokens import GITHUB, LETTERS, PASSWORD, drawn, pem

__all__ = [
    "CERTIFICATE",
    "CONFIG",
    "DOCKER_AUTH",
    "ENCRYPTED",
    "HTPASSWD",
    "JKS_KEY",
    "JKS_TRUST",
    "KUBECONFIG",
    "KUBE_SECRET",
    "KUBE_TOKEN",
    "NOISE",
    "PKCS1",
    "PKCS8",
    "PKCS12",
    "PUTTY",
    "SEC1",
    "SERVICE_ACCOUNT",
    "SHADOW",
    "TERRAFORM",
    "WIREGUARD",
    "nested",
    "tarred",
    "twice_in_zip",
    "zipped",
]


def der(tag: int, *parts: bytes) -> bytes:
    """An element of DER."""
    content = b"".join(parts)
    size = len(content)
    length = bytes((size,)) if size < 0x80 else bytes((0x82, size >> 8, size & 0xFF))
    return bytes((tag,)) + length + content


RSA = bytes.fromhex("2a864886f70d010101")
NOISE = random.Random(7).randbytes(600)
PKCS8 = der(0x30, der(2, b"\0"), der(0x30, der(6, RSA), b"\5\0"), der(4, NOISE))
PKCS1 = der(0x30, der(2, b"\0"), *(der(2, b"\1" + NOISE[:128]) for _ in range(8)))
SEC1 = der(0x30, der(2, b"\1"), der(4, NOISE[:32]), der(0xA0, der(6, bytes.fromhex("2a8648ce3d030107"))))
ENCRYPTED = der(0x30, der(0x30, der(6, bytes.fromhex("2a864886f70d01050d")), der(0x30, NOISE[:40])), der(4, NOISE))
PKCS12 = der(
    0x30,
    der(2, b"\3"),
    der(
        0x30,
        der(6, bytes.fromhex("2a864886f70d010701")),
        der(0xA0, der(6, bytes.fromhex("2a864886f70d010c0a0102")), NOISE),
    ),
)
CERTIFICATE = der(
    0x30, der(0x30, der(0xA0, der(2, b"\2")), der(2, NOISE[:16]), der(0x30, der(6, RSA))), der(3, NOISE[:256])
)
JKS_KEY = b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\1\0\4mine" + bytes(8) + NOISE
JKS_TRUST = b"\xfe\xed\xfe\xed\0\0\0\2\0\0\0\1\0\0\0\2\0\4root" + bytes(8) + b"\0\5X.509\0\0\0\x20" + NOISE[:32]
KUBECONFIG = f"""apiVersion: v1
clusters:
- cluster: {{server: "https://cluster.example"}}
  name: c
users:
- name: admin
  user:
    client-key-data: {base64.b64encode(pem().encode()).decode()}
"""
KUBE_TOKEN = f"""apiVersion: v1
clusters: []
users:
- name: admin
  user:
    token: {drawn(40)}
"""
DOCKER_AUTH = json.dumps(
    {"auths": {"registry.example": {"auth": base64.b64encode(f"bob:{PASSWORD}".encode()).decode()}}}
)
TERRAFORM = json.dumps({"version": 4, "terraform_version": "1.7.0", "lineage": "0f1e2d3c-aaaa-bbbb-cccc-0123456789ab"})
SERVICE_ACCOUNT = json.dumps({"type": "service_account", "private_key": pem(), "client_email": "x@y.iam.example"})
SHADOW = f"root:$6${drawn(12)}${drawn(86, LETTERS + './')}:19500:0:99999:7:::\n"
HTPASSWD = f"admin:$apr1${drawn(8)}${drawn(22, LETTERS + './')}\n"
KUBE_SECRET = f"apiVersion: v1\nkind: Secret\ndata:\n  value: {base64.b64encode(b'Sup3r-geheim').decode()}\n"
WIREGUARD = "[Interface]\nAddress = 10.0.0.1/24\nPrivate" + f"Key = {drawn(42)}8=\n"
PUTTY = "PuTTY-User-Key-" + f"File-3: ssh-ed25519\nEncryption: none\nPrivate-Lines: 1\n{drawn(48)}\n"
CONFIG = f"[service]\ntoken = '{GITHUB}'\n".encode()


def zipped(*members: tuple[str, bytes]) -> bytes:
    """A zip archive."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as out:
        for name, data in members:
            info = zipfile.ZipInfo(name)
            info.compress_type = zipfile.ZIP_DEFLATED
            out.writestr(info, data)
    return archive.getvalue()


def tarred(name: str, data: bytes) -> bytes:
    """A tar archive."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as out:
        info, _ = file(name, data)
        out.addfile(info, io.BytesIO(data))
    return archive.getvalue()


def twice_in_zip() -> bytes:
    """A zip archive with two entries of one name, of which the first has the leak."""
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as out:
        out.writestr("conf.toml", CONFIG)
        out.filelist[0].filename = "conf.tom_"
        out.NameToInfo.clear()
        out.writestr("conf.toml", b"nothing\n")
        out.filelist[0].filename = "conf.toml"
    return archive.getvalue()


def nested() -> bytes:
    """An archive in an archive in an archive."""
    return gzip.compress(tarred("a/inner.zip", zipped(("b.txt.gz", gzip.compress(CONFIG)))))

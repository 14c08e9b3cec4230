"""Engines as if they were on other machines: certificates for one, and an SSH server on the way to them."""

from __future__ import annotations

import getpass
import os
import shutil
import socket
import subprocess
import textwrap
import time
from contextlib import contextmanager
from typing import TYPE_CHECKING

from tests.support.ports import free_port
from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

__all__ = ["make_certificates", "ssh_server"]

_KEY = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"]
_PATIENCE = 20  # seconds for a server to start


def make_certificates(folder: Path) -> None:
    """``ca.pem``, and one that is both a server's on 127.0.0.1 and a client's: ``cert.pem`` with ``key.pem``."""
    (folder / "for").write_text("subjectAltName=IP:127.0.0.1\nextendedKeyUsage=serverAuth,clientAuth\n")
    authority = ["-x509", "-subj", "/CN=tests", "-addext", "keyUsage=critical,keyCertSign", "-days", "2"]
    _openssl(folder, "req", *_KEY, *authority, "-keyout", "ca-key.pem", "-out", "ca.pem")
    _openssl(folder, "req", *_KEY, "-subj", "/CN=127.0.0.1", "-keyout", "key.pem", "-out", "request")
    signing = ["-CA", "ca.pem", "-CAkey", "ca-key.pem", "-CAcreateserial", "-extfile", "for", "-days", "2"]
    _openssl(folder, "x509", "-req", "-in", "request", *signing, "-out", "cert.pem")


def _openssl(folder: Path, *arguments: str) -> None:
    subprocess.run(["openssl", *arguments], cwd=folder, check=True, capture_output=True)


@contextmanager
def ssh_server(folder: Path) -> Iterator[str]:
    """An SSH server; what leads to it is the command ``ssh`` in ``folder``, and the address that is given."""
    server = shutil.which("sshd", path=f"{os.environ['PATH']}:/usr/sbin")
    if server is None or shutil.which("ssh") is None:
        absent("OpenSSH, server and client")
    for name in ("host", "user"):
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", folder / name], check=True)
    port = free_port()
    (folder / "server").write_text(
        textwrap.dedent(f"""
            ListenAddress 127.0.0.1:{port}
            HostKey {folder}/host
            AuthorizedKeysFile {folder}/user.pub
            StrictModes no
            PidFile none
        """)
    )
    (folder / "client").write_text(
        f"IdentityFile {folder}/user\nIdentitiesOnly yes\nBatchMode yes\n"
        f"UserKnownHostsFile {folder}/known\nStrictHostKeyChecking accept-new\n"
    )
    (folder / "ssh").write_text(f'#!/bin/sh\nexec {shutil.which("ssh")} -F {folder}/client "$@"\n')
    (folder / "ssh").chmod(0o755)
    if os.geteuid() == 0:
        os.makedirs("/run/sshd", exist_ok=True)  # noqa: PTH103  # where its children are kept from the rest
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen([str(server), "-D", "-e", "-f", folder / "server"], stdout=log, stderr=log)
    try:
        _wait_for(port, folder / "log")
        yield f"ssh://{getpass.getuser()}@127.0.0.1:{port}"
    finally:
        process.terminate()
        process.wait()


def _wait_for(port: int, log: Path) -> None:
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            socket.create_connection(("127.0.0.1", port)).close()
        except ConnectionRefusedError:
            assert time.monotonic() < deadline, log.read_text()
            time.sleep(0.05)
        else:
            return

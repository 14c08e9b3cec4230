"""An archive of Debian's kind, as small as it can be, signed by a key of its own, on a server of this machine."""

from __future__ import annotations

import hashlib
import io
import lzma
import tarfile
import threading
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from typing import TYPE_CHECKING

from pysequoia import SignatureMode, Tsk, sign

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from pathlib import Path

__all__ = ["DebianArchive", "deb", "served"]

Entries = "Mapping[str, str]"  # path -> text, or "-> target" of a link


def deb(entries: Mapping[str, str]) -> bytes:
    """A package that installs ``entries``: texts by their paths, and links as ``-> TARGET``."""
    data = io.BytesIO()
    with tarfile.open(fileobj=data, mode="w:xz") as archive:
        for path, text in entries.items():
            member = tarfile.TarInfo(f"./{path}")
            if text.startswith("-> "):
                member.type, member.linkname = tarfile.SYMTYPE, text[3:]
                archive.addfile(member)
            else:
                member.size, member.mode = len(text.encode()), 0o755
                archive.addfile(member, io.BytesIO(text.encode()))
    members = (("debian-binary", b"2.0\n"), ("control.tar.xz", b""), ("data.tar.xz", data.getvalue()))
    return b"!<arch>\n" + b"".join(_member(name, content) for name, content in members)


def _member(name: str, content: bytes) -> bytes:
    """A member of an archive (ar(5))."""
    header = f"{name:<16}{0:<12}{0:<6}{0:<6}{100644:<8}{len(content):<10}`\n".encode()
    return header + content + b"\n" * (len(content) % 2)


@dataclass
class DebianArchive:
    """A folder with a suite ``trixie`` for amd64; :meth:`publish` writes its lists anew."""

    folder: Path
    address: str
    key: Tsk = field(default_factory=lambda: Tsk.generate("The archive <archive@example.org>"))
    packages: dict[str, tuple[str, bytes]] = field(default_factory=dict)  # name -> fields, file

    @property
    def keyring(self) -> Path:
        """A file with the certificate that the lists are signed by."""
        path = self.folder / "archive.gpg"
        path.write_bytes(bytes(self.key.extract_certificate()))
        return path

    def add(self, name: str, entries: Mapping[str, str], *, version: str = "1", **fields: str) -> None:
        """Add the package ``name``; ``fields`` are more of its paragraph, as ``depends``."""
        more = "".join(f"{key.capitalize()}: {value}\n" for key, value in fields.items())
        self.packages[name] = (f"Package: {name}\nVersion: {version}\n{more}", deb(entries))

    def publish(
        self, pocket: str = "trixie", *, codename: str | None = None, valid: timedelta = timedelta(days=7)
    ) -> None:
        """Write the lists and the packages of ``pocket``."""
        packages = lzma.compress("\n".join(map(self._stanza, self.packages)).encode())
        digest = hashlib.sha256(packages).hexdigest()
        path = "main/binary-amd64/Packages.xz"
        now = datetime.now(UTC)
        release = (
            f"Codename: {codename or pocket}\nDate: {format_datetime(now)}\n"
            f"Valid-Until: {format_datetime(now + valid)}\nSHA256:\n {digest} {len(packages)} {path}\n"
        )
        self.write(f"dists/{pocket}/main/binary-amd64/by-hash/SHA256/{digest}", packages)
        signer = self.key.signer()
        self.write(f"dists/{pocket}/InRelease", sign(signer, release.encode(), mode=SignatureMode.CLEAR))

    def write(self, name: str, data: bytes) -> None:
        """Write a file of the archive."""
        path = self.folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)

    def _stanza(self, name: str) -> str:
        fields, data = self.packages[name]
        self.write(f"pool/{name}.deb", data)
        return f"{fields}Filename: pool/{name}.deb\nSize: {len(data)}\nSHA256: {hashlib.sha256(data).hexdigest()}\n"


class _Quiet(SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # its base names it so
        """Say nothing."""


@contextmanager
def served(folder: Path) -> Iterator[DebianArchive]:
    """An archive in ``folder``, served for as long as the block lasts."""
    folder.mkdir(exist_ok=True)
    with ThreadingHTTPServer(("127.0.0.1", 0), partial(_Quiet, directory=str(folder))) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield DebianArchive(folder, f"http://127.0.0.1:{server.server_port}")
        server.shutdown()

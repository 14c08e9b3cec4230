"""Tiny wheels made by hand, in a folder that takes the place of a package index."""

from __future__ import annotations

import base64
import hashlib
import io
import tarfile
import zipfile
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

__all__ = ["make_sdist", "make_wheel", "only_from"]


def only_from(folder: Path) -> dict[str, str]:
    """The environment in which uv knows no other packages than those in ``folder``."""
    nowhere = (folder / "no-index").as_uri()  # else uv would know what its cache has of the usual index
    return {"UV_FIND_LINKS": str(folder), "UV_DEFAULT_INDEX": nowhere, "UV_OFFLINE": "1"}


def make_wheel(
    folder: Path,
    name: str,
    *,
    tag: str = "py3-none-any",
    files: Mapping[str, bytes] | None = None,
    requires: tuple[str, ...] = (),
) -> Path:
    """Write version 1.0 of a distribution with one module, and ``files`` (PEP 427)."""
    requirements = "".join(f"Requires-Dist: {each}\n" for each in requires)
    info = f"{name}-1.0.dist-info"
    contents = {
        f"{name}.py": b"answer = 42\n",
        **(files or {}),
        f"{info}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n{requirements}".encode(),
        f"{info}/WHEEL": f"Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: {tag}\n".encode(),
    }
    recorded = "".join(f"{path},{_recorded(data)},{len(data)}\n" for path, data in contents.items())
    contents[f"{info}/RECORD"] = f"{recorded}{info}/RECORD,,\n".encode()
    path = folder / f"{name}-1.0-{tag}.whl"
    with zipfile.ZipFile(path, "w") as archive:
        for member, data in contents.items():
            archive.writestr(member, data)
    return path


def _recorded(data: bytes) -> str:
    """The hash of a file as RECORD has it (packaging.python.org, Recording installed projects)."""
    return f"sha256={base64.urlsafe_b64encode(hashlib.sha256(data).digest()).decode().rstrip('=')}"


def make_sdist(folder: Path, name: str) -> Path:
    """Write version 1.0 of a distribution as its source alone."""
    path = folder / f"{name}-1.0.tar.gz"
    with tarfile.open(path, "w:gz") as archive:
        for member, text in {
            "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
            "setup.py": f"from setuptools import setup\nsetup(name={name!r}, version='1.0')\n",
        }.items():
            info = tarfile.TarInfo(f"{name}-1.0/{member}")
            info.size = len(text)
            archive.addfile(info, io.BytesIO(text.encode()))
    return path

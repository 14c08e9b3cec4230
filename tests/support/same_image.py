"""Whether two images in an engine have the same files and start the same way; the wheel of this cannery."""

from __future__ import annotations

import hashlib
import io
import subprocess
import tarfile
from typing import TYPE_CHECKING, Any

from cannery import __version__
from cannery.workspace.process import find_uv
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

__all__ = ["WHEEL", "assert_same_image", "build_wheel"]

WHEEL = f"cannery-{__version__}-py3-none-any.whl"
_OF_THE_ENGINE = ("dev", "proc", "sys", ".dockerenv", "etc/hosts", "etc/hostname", "etc/resolv.conf", "etc/mtab")


def build_wheel(folder: Path) -> Path:
    """The wheel of the cannery that is tested, built into ``folder``."""
    subprocess.run([find_uv(), "build", "--quiet", "--wheel", f"--out-dir={folder}", str(ROOT)], check=True)
    return folder / WHEEL


def assert_same_image(docker: Service, one: str, other: str) -> None:
    """Two images have the same configuration, and files with the same bytes, modes, owners and times."""
    assert _config(docker, one) == _config(docker, other)
    expected, found = _files(docker, other), _files(docker, one)
    assert any(path.startswith("usr/local/bin/") for path in expected)
    names = sorted(expected.keys() | found.keys())
    different = {name: (found.get(name), expected.get(name)) for name in names if found.get(name) != expected.get(name)}
    assert not different, different


def _files(docker: Service, image: str) -> dict[str, tuple[object, ...]]:
    container = docker.client.create_container(image)["Id"]
    try:
        data = b"".join(docker.client.export(container))
    finally:
        docker.client.remove_container(container)
    with tarfile.open(fileobj=io.BytesIO(data)) as archive:
        return dict(_described(archive, member) for member in archive if not member.name.startswith(_OF_THE_ENGINE))


def _described(archive: tarfile.TarFile, member: tarfile.TarInfo) -> tuple[str, tuple[object, ...]]:
    """The name of a file, with its kind, mode, owner, link, digest and time; folders get the time of copying."""
    stream = archive.extractfile(member) if member.isfile() else None
    digest = hashlib.sha256(stream.read()).hexdigest() if stream else ""
    time = member.mtime if member.isfile() else None
    return member.name, (member.type, oct(member.mode), member.uid, member.gid, member.linkname, digest, time)


def _config(docker: Service, image: str) -> dict[str, Any]:
    config = docker.client.inspect_image(image)["Config"]
    names = ("Entrypoint", "Cmd", "User", "WorkingDir", "ExposedPorts", "Volumes", "Labels", "Healthcheck")
    return {**{name: config.get(name) for name in names}, "Env": sorted(config["Env"])}

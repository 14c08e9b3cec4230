"""Images laid out as ``python:3.11-slim`` and ``python:3.11`` are: Debian below, Python with pip in /usr/local.

Debian comes from its own packages (mmdebstrap), and Python is one that lies on this machine: copied to where the
official images have theirs, its standard library's extension modules finding their libraries in Debian's packages.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import os
import platform
import shutil
import subprocess
import sys
import tarfile
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from filelock import FileLock

from cannery.python.versions import hidden_folders

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

__all__ = ["FULL", "PYTHON", "SLIM", "TOOLS", "layout"]

SLIM = "3.11-slim"
FULL = "3.11"
PYTHON = "python3.11"
TOOLS = ("mmdebstrap", "dpkg", "ldd", "strip")

_VERSION = 1  # of what is made here; another one leaves what lies in a cache
_SYSTEM = ("ca-certificates", "netbase", "tzdata")  # what the official slim image installs
_COMPILER = ("binutils", "g++", "gcc", "libc6-dev", "make")
_LEFT_OUT = {"__pycache__", "idlelib", "site-packages", "test", "tests", "tkinter", "turtledemo"}
_DOCUMENTATION = ("/usr/share/doc/*", "/usr/share/info/*", "/usr/share/locale/*", "/usr/share/man/*")
_CERTIFICATES = Path("/etc/ssl/certs/ca-certificates.crt")  # this machine's own: its package index may be a mirror
_PIP_CONF = b"[global]\ncert = /etc/ssl/certs/ca-certificates.crt\ndisable-pip-version-check = true\n"
_ARCHITECTURES = {"x86_64": "amd64", "aarch64": "arm64"}


@dataclass(frozen=True)
class _Python:
    """An installation that is no distributor's: its paths follow its prefix."""

    prefix: Path
    version: str

    @property
    def library(self) -> Path:
        return self.prefix / "lib" / PYTHON


def layout(tag: str, cache: Path) -> Path:
    """The OCI layout of the stand-in for ``python:TAG``, made where ``cache`` doesn't hold it yet."""
    python = _find_python()
    names = (*_SYSTEM, *(_COMPILER if tag == FULL else ()))
    key = hashlib.sha256(repr((_VERSION, tag, str(python.prefix), python.version, names)).encode()).hexdigest()[:16]
    target = cache / f"python-{tag}-{key}"
    cache.mkdir(parents=True, exist_ok=True)
    with FileLock(f"{target}.lock"):
        if not target.is_dir():
            with tempfile.TemporaryDirectory(dir=cache, prefix="making-") as folder:
                made = Path(folder) / "layout"
                _write_layout(_root(python, names, Path(folder)), tag, python.version, made)
                made.rename(target)
    return target


def _find_python() -> _Python:
    """The first Python 3.11 here that lies in a prefix of its own; distributors patch where theirs looks."""
    candidates = [Path(sys.base_prefix) / "bin" / PYTHON, *(folder / PYTHON for folder in hidden_folders())]
    for executable in candidates:
        prefix = executable.parent.parent
        if executable.is_file() and prefix != Path("/usr"):
            asked = [str(executable), "-I", "-c", "import platform; print(platform.python_version())"]
            return _Python(prefix, subprocess.run(asked, capture_output=True, text=True, check=True).stdout.strip())
    raise FileNotFoundError(f"no {PYTHON} with a prefix of its own (looked at {', '.join(map(str, candidates))})")


def _root(python: _Python, packages: Iterable[str], folder: Path) -> Path:
    """A root file system in an archive: Debian with ``packages``, and ``python`` in /usr/local."""
    with tarfile.open(folder / "python.tar", "w") as archive:
        for source, name in _python_files(python):
            archive.add(source, name, recursive=False, filter=_owned_by_root)
        for version in ("python3", "python"):
            link = tarfile.TarInfo(f"usr/local/bin/{version}")
            link.type, link.linkname = tarfile.SYMTYPE, PYTHON
            archive.addfile(link)
        _add_bytes(archive, "etc/pip.conf", _PIP_CONF)
    target = folder / "root.tar"
    hooks = [
        f"tar-in {folder}/python.tar /",
        'chroot "$1" ldconfig',
        f'chroot "$1" {PYTHON} -m ensurepip --default-pip',
        'find "$1/usr/local" -name __pycache__ -prune -exec rm -r {} +',
        'find "$1/usr/local" -name "*.so*" -type f -exec strip --strip-unneeded {} +',
    ]
    if _CERTIFICATES.is_file():
        hooks.append(f"upload {_CERTIFICATES} {_CERTIFICATES}")
    command = ["mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join([*packages, *_libraries(python)])}"]
    command += [f"--dpkgopt=path-exclude={pattern}" for pattern in _DOCUMENTATION]
    command += [f"--customize-hook={hook}" for hook in hooks]
    done = subprocess.run([*command, _codename(), str(target)], capture_output=True, text=True, check=False)
    if done.returncode:
        raise RuntimeError(f"mmdebstrap failed: {done.stderr}")
    return target


def _python_files(python: _Python) -> Iterator[tuple[Path, str]]:
    """The files of an installation, and where they go: without tests, and without what was installed into it."""
    yield python.prefix / "bin" / PYTHON, f"usr/local/bin/{PYTHON}"
    for path in sorted((python.prefix / "lib").glob("libpython3*.so*")):
        yield path, f"usr/local/lib/{path.name}"
    for top in (python.library, python.prefix / "include" / PYTHON):
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(name for name in folders if name not in _LEFT_OUT and not name.startswith("config-"))
            for name in sorted(files):
                if not name.startswith("_tkinter"):
                    path = Path(folder, name)
                    yield path, f"usr/local/{path.relative_to(python.prefix)}"


def _libraries(python: _Python) -> set[str]:
    """Debian's packages of the shared libraries that ``python`` and its extension modules load."""
    modules = [path for path in python.library.glob("lib-dynload/*.so") if not path.name.startswith("_tkinter")]
    listed = subprocess.run(
        ["ldd", python.prefix / "bin" / PYTHON, *modules], capture_output=True, text=True, check=True
    ).stdout
    paths = {word for word in listed.split() if word.startswith("/") and not word.endswith(":")}
    foreign = {path for path in paths if not path.startswith(str(python.prefix))}
    # Files moved to /usr, yet packages may list them below the links that are there now.
    patterns = {f"*{os.path.realpath(path).removeprefix('/usr')}" for path in foreign}
    found = subprocess.run(["dpkg", "-S", *sorted(patterns)], capture_output=True, text=True, check=False).stdout
    return {line.partition(":")[0] for line in found.splitlines() if not line.startswith("diversion")}


def _codename() -> str:
    """The Debian of this machine: the libraries that Python was linked with are that one's."""
    return platform.freedesktop_os_release()["VERSION_CODENAME"]


def _write_layout(root: Path, tag: str, version: str, target: Path) -> None:
    """An OCI layout of one image with one layer (OCI image-spec v1.1, image-layout.md)."""
    blobs = target / "blobs" / "sha256"
    blobs.mkdir(parents=True)
    packed = target / "layer"
    with root.open("rb") as plain, gzip.GzipFile(packed, "wb", compresslevel=1, mtime=0) as stream:
        shutil.copyfileobj(plain, stream, 1 << 20)
    with root.open("rb") as plain:
        diff_id = f"sha256:{hashlib.file_digest(plain, 'sha256').hexdigest()}"
    architecture = _ARCHITECTURES[platform.machine()]
    config = {
        "architecture": architecture,
        "os": "linux",
        "config": {
            "Env": [
                "PATH=/usr/local/bin:/usr/local/sbin:/usr/sbin:/usr/bin:/sbin:/bin",
                "LANG=C.UTF-8",
                f"PYTHON_VERSION={version}",
            ],
            "Cmd": ["python3"],
        },
        "rootfs": {"type": "layers", "diff_ids": [diff_id]},
        "history": [{"created_by": "mmdebstrap"}],
    }
    manifest = {
        "schemaVersion": 2,
        "mediaType": "application/vnd.oci.image.manifest.v1+json",
        "config": _blob(blobs, _json(config), "application/vnd.oci.image.config.v1+json"),
        "layers": [_blob_file(blobs, packed, "application/vnd.oci.image.layer.v1.tar+gzip")],
    }
    described = {
        **_blob(blobs, _json(manifest), "application/vnd.oci.image.manifest.v1+json"),
        "platform": {"os": "linux", "architecture": architecture},
        "annotations": {"org.opencontainers.image.ref.name": tag},
    }
    (target / "index.json").write_bytes(_json({"schemaVersion": 2, "manifests": [described]}))
    (target / "oci-layout").write_bytes(_json({"imageLayoutVersion": "1.0.0"}))


def _blob(blobs: Path, data: bytes, media_type: str) -> dict[str, Any]:
    """Write a blob; returns its descriptor (OCI image-spec v1.1, descriptor.md)."""
    digest = hashlib.sha256(data).hexdigest()
    (blobs / digest).write_bytes(data)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": len(data)}


def _blob_file(blobs: Path, path: Path, media_type: str) -> dict[str, Any]:
    with path.open("rb") as stream:
        digest = hashlib.file_digest(stream, "sha256").hexdigest()
    size = path.stat().st_size
    path.rename(blobs / digest)
    return {"mediaType": media_type, "digest": f"sha256:{digest}", "size": size}


def _json(value: object) -> bytes:
    return json.dumps(value, sort_keys=True).encode()


def _owned_by_root(info: tarfile.TarInfo) -> tarfile.TarInfo:
    info.uid = info.gid = 0
    info.uname = info.gname = ""
    return info


def _add_bytes(archive: tarfile.TarFile, name: str, data: bytes) -> None:
    info = tarfile.TarInfo(name)
    info.size, info.mode = len(data), 0o644
    archive.addfile(info, io.BytesIO(data))

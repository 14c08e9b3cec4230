"""Real roots for containers, made of the host's own programs and libraries."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox_callers import Caller

if TYPE_CHECKING:
    from collections.abc import Iterator

_NOT_NEEDED = ("__pycache__", "config-*", "ensurepip", "idlelib", "lib2to3", "site-packages", "test", "tkinter")


@pytest.fixture(scope="session")
def host_root() -> Iterator[Path]:
    """A root with the host's Python and shell, which every user of the host may enter."""
    with tempfile.TemporaryDirectory(prefix="cannery-root-") as folder:
        root = Path(folder)
        for name in ("dev", "proc", "sys", "tmp", "etc", "srv"):
            (root / name).mkdir()
        for name in ("hosts", "hostname", "resolv.conf", "volume"):
            (root / "etc" / name).touch()
        (root / "tmp").chmod(0o1777)
        (root / "srv").chmod(0o777)
        _copy_programs(root)
        _copy_python(root)
        (root / "shortcut").symlink_to("/srv")
        root.chmod(0o755)
        yield root


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of the host that any user may write to."""
    with tempfile.TemporaryDirectory(prefix="cannery-shared-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "file").write_text("from the host\n")
        yield folder


@pytest.fixture(params=["root", "ordinary user"])
def caller(request: pytest.FixtureRequest) -> Caller:
    """Who runs the container: root, and somebody who may do nothing special."""
    if os.geteuid() != 0:
        if request.param == "root":
            pytest.skip("these tests are run by an ordinary user")
        return Caller(None)
    return Caller(12345 if request.param == "ordinary user" else None)


def _copy_programs(root: Path) -> None:
    (root / "bin").mkdir()
    for name in ("sh", "cat", "true", "false"):
        program = shutil.which(name)
        assert program is not None
        shutil.copy(program, root / "bin" / name)
        _copy_libraries(root, Path(program))
    script = root / "bin" / "script"
    script.write_text("#!/no/such/interpreter\n")
    script.chmod(0o755)
    (root / "bin" / "data").write_text("no program\n")


def _copy_python(root: Path) -> None:
    """Copy the interpreter to where it finds its library: both below one prefix, as they were."""
    version = f"python{sys.version_info.major}.{sys.version_info.minor}"
    executable = Path(sys._base_executable).resolve()  # type: ignore[attr-defined]  # noqa: SLF001  # not the venv's
    library = root / "usr" / "lib" / version
    (root / "usr" / "bin").mkdir(parents=True)
    shutil.copy(executable, root / "usr" / "bin" / "python")
    shutil.copytree(sysconfig.get_path("stdlib"), library, ignore=shutil.ignore_patterns(*_NOT_NEEDED))
    for binary in (executable, *library.glob("lib-dynload/*.so")):
        _copy_libraries(root, binary)


def _copy_libraries(root: Path, binary: Path) -> None:
    listed = subprocess.run(["ldd", binary], capture_output=True, text=True, check=True).stdout
    for word in listed.split():
        if word.startswith("/") and not (target := root / word.lstrip("/")).exists():
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copy(word, target)

"""What the tests of bad input share: a package index in a folder, caches that need not begin cold, other machines."""

from __future__ import annotations

import os
import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import pytest
from filelock import FileLock

from cannery import __version__
from tests.support.command import cannery
from tests.support.machine import own_machine
from tests.support.wheels import make_sdist, make_wheel, only_from

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.machine import Machine


FAST = {"CANNERY_COMPRESSION_LEVEL": "1"}


class NewCache(Protocol):
    """Makes a cache that nobody else uses."""

    def __call__(self, folder: Path, *, owner: int | None = None, layers: bool = False) -> Path:
        """It lies in ``folder`` and has bytecode of the standard library, so that a build takes a second."""
        ...


@pytest.fixture(scope="session")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder of wheels: one for every machine, one for another, and one that isn't there but for its source."""
    folder = tmp_path_factory.mktemp("index")
    make_wheel(folder, "tin", files={"tin_data/big.bin": os.urandom(1_500_000)})
    make_wheel(folder, "alien", tag="py3-none-win_amd64")
    make_sdist(folder, "ore")
    return folder


@pytest.fixture(autouse=True)
def own_index(index: Path, monkeypatch: pytest.MonkeyPatch, shared_folder: Path) -> None:
    """Keep uv from the network and from the user's own cache, and builds from taking long."""
    # Coverage would have commands that are interrupted, or an ordinary user's, write where they can't.
    for name in [name for name in os.environ if name.startswith(("COVERAGE_", "UV_"))]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("UV_CACHE_DIR", str(shared_folder / "uv-cache"))
    for name, value in {**only_from(index), **FAST}.items():
        monkeypatch.setenv(name, value)


@pytest.fixture(scope="session")
def prepared(shared_folder: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The cache that has seen a build, and which nobody writes to any more; made once for all processes."""
    folder = shared_folder / "prepared-cache"
    with FileLock(f"{folder}.lock"):
        if not folder.is_dir():
            project, cache = tmp_path_factory.mktemp("hello"), tmp_path_factory.mktemp("seen")
            (project / "main.py").write_text("print('hello')\n")
            assert cannery("image", cwd=project, CANNERY_CACHE=str(cache), **FAST).code == 0
            cache.rename(folder)
    return folder


@pytest.fixture(scope="session")
def warm(prepared: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that has seen a build, and sees others."""
    return _copied(prepared, tmp_path_factory.mktemp("warm") / "cache")


@pytest.fixture
def new_cache(prepared: Path) -> NewCache:
    def make(folder: Path, *, owner: int | None = None, layers: bool = False) -> Path:
        for name in ("bytecode", "blobs", "layers") if layers else ("bytecode",):
            _copied(prepared / __version__ / name, folder / __version__ / name)
        if owner is not None:
            for path in (folder, *(path for path in folder.rglob("*") if path.is_dir())):
                os.chown(path, owner, owner)
        return folder

    return make


@pytest.fixture
def cache(tmp_path: Path, new_cache: NewCache) -> Path:
    """A cache of the test's own."""
    return new_cache(tmp_path / "cache")


@pytest.fixture(scope="session")
def machine() -> Iterator[Machine]:
    """A machine on which tests mount what they like, and every user can run cannery."""
    with own_machine() as machine:
        machine.let_everyone_in()
        yield machine


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that every user reaches; pytest's own are for their owner alone."""
    with tempfile.TemporaryDirectory(prefix="cannery-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        yield folder


def _copied(source: Path, target: Path) -> Path:
    return Path(shutil.copytree(source, target, symlinks=True, copy_function=_link_or_copy))


def _link_or_copy(source: str, target: str) -> None:
    """A link where source and target lie on one disk: files of a cache are replaced, never written to."""
    try:
        os.link(source, target)
    except OSError:
        shutil.copy(source, target)

"""What the tests share: small projects that are real, and a cache of their own."""

from __future__ import annotations

import os
import sys
import textwrap
from typing import TYPE_CHECKING, Protocol

import pytest

from cannery.workspace.cache import Cache
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace
from tests.support.engine_commands import docker, each_engine, podman
from tests.support.engine_services import dockerd, podman_service
from tests.support.registry import full_base, guarded_registry, registry, slim_base

if TYPE_CHECKING:
    from pathlib import Path

    from xdist.remote import Producer

    from tests.support.scheduling import ModulesTogether

__all__ = [  # fixtures for all tests
    "docker",
    "dockerd",
    "each_engine",
    "full_base",
    "guarded_registry",
    "podman",
    "podman_service",
    "registry",
    "slim_base",
]

os.environ.pop("PYTHONDONTWRITEBYTECODE", None)  # each command that a test starts would compile all that it imports

_OLDEST = (3, 11)
_SLOW = {  # fixtures that take seconds, or whose tests do
    *("docker", "dockerd", "each_engine", "podman", "podman_service", "service"),
    *("full_base", "guarded_registry", "registry", "slim_base"),
    *("kit", "kits", "own_cache", "own_index", "sample"),
}
_KITS = {"kit", "kits"}  # fixtures that wait for what may still be built beside the tests


@pytest.hookimpl(tryfirst=True)  # before anything is selected by marks
def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Mark what is slow, and leave tests that are the same under every Python to the oldest one."""
    for item in items:
        if not _SLOW.isdisjoint(getattr(item, "fixturenames", ())):
            item.add_marker(pytest.mark.slow)
    if "heavy" not in config.option.markexpr:
        _leave_out(config, items, "heavy")
    if sys.version_info[:2] != _OLDEST:
        _leave_out(config, items, "once")
    if hasattr(config, "workerinput"):  # several processes take what comes next: no slow module shall be the last
        slow = {item.path for item in items if item.get_closest_marker("slow")}
        late = {item.path for item in items if not _KITS.isdisjoint(getattr(item, "fixturenames", ()))}
        items.sort(key=lambda item: (item.path not in slow, item.path in late))


def _leave_out(config: pytest.Config, items: list[pytest.Item], mark: str) -> None:
    config.hook.pytest_deselected(items=[item for item in items if item.get_closest_marker(mark)])
    items[:] = [item for item in items if not item.get_closest_marker(mark)]


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Producer) -> ModulesTogether:
    """Let several processes start no engine twice."""
    from tests.support.scheduling import ModulesTogether  # noqa: PLC0415  # nobody else needs pytest-xdist

    return ModulesTogether(config, log)


class MakeProject(Protocol):
    """Writes a project's files and returns its folder."""

    def __call__(self, files: dict[str, str], folder: str = "project") -> Path:
        """``files`` maps paths to texts, which may be indented as the test is."""
        ...


@pytest.fixture
def make_project(tmp_path: Path) -> MakeProject:
    def make(files: dict[str, str], folder: str = "project") -> Path:
        root = tmp_path / folder
        root.mkdir(exist_ok=True)
        for name, text in files.items():
            path = root / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(textwrap.dedent(text), encoding="utf-8")
        return root

    return make


@pytest.fixture
def workspace(tmp_path: Path) -> Workspace:
    """A workspace with an empty cache and real programs."""
    return Workspace(Cache(tmp_path / "cache"), run)


@pytest.fixture(scope="session")
def shared_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder that all processes of one run of the tests share."""
    own = tmp_path_factory.getbasetemp()
    return own.parent if "PYTEST_XDIST_WORKER" in os.environ else own


@pytest.fixture(scope="session")
def shared_cache(shared_folder: Path) -> Path:
    """The cache of what is built once for many tests."""
    return shared_folder / "shared-cache"


@pytest.fixture(scope="session", autouse=True)
def compiled_once(shared_folder: Path) -> None:
    """Have zig compile its C libraries once, and not for each test with an empty cache, unless the caller has some."""
    os.environ.setdefault("ZIG_GLOBAL_CACHE_DIR", str(shared_folder / "zig"))


@pytest.fixture(autouse=True)
def own_environment(monkeypatch: pytest.MonkeyPatch, shared_cache: Path) -> None:
    """Keep the user's cache and settings out of the tests, and the tests out of them."""
    for name in [name for name in os.environ if name.startswith("CANNERY_")]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("CANNERY_ENGINE", "none")  # what a test does with an engine, it does with one of its own
    monkeypatch.setenv("CANNERY_CACHE", str(shared_cache))

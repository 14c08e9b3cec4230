"""A small project that shows what it got, frozen in each form."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

FILES = {
    "pyproject.toml": """
        [project]
        name = "shower"
        version = "1.5"
        scripts = {shower = "shower.cli:main"}

        [project.entry-points."shower.parts"]
        plugin = "shower.plugin:part"

        [tool.cannery]
        resources = ["notes.txt"]
        """,
    "notes.txt": "a resource\n",
    "src/shower/__init__.py": "from pathlib import Path\nHERE = Path(__file__).parent\n",
    "src/shower/data.txt": "package data\n",
    "src/shower/plugin.py": "part = 'found by its name'\n",
    "src/shower/cli.py": '''
        """Show what there is."""

        import ctypes.util
        import importlib
        import importlib.resources
        import json
        import multiprocessing
        import os
        import signal
        import ssl
        import sys
        import time
        from importlib.metadata import version
        from pathlib import Path

        from .__init__ import HERE


        def double(number):
            return 2 * number


        def show():
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                doubled = pool.map(double, [1, 2, 3])
            return {
                "arguments": sys.argv[1:],
                "data": importlib.resources.files("shower").joinpath("data.txt").read_text(),
                "doubled": doubled,
                "encoding": sys.getfilesystemencoding(),
                "beside": (HERE / "data.txt").read_text(),
                "library": ctypes.util.find_library("z"),
                "home": os.path.dirname(sys.executable),
                "libraries": sorted({line.split()[-1] for line in open("/proc/self/maps") if ".so" in line}),
                "plugin": importlib.import_module("shower.plugin").part,
                "resource": Path(__file__).parents[1].joinpath("notes.txt").read_text(),
                "openssl": ssl.OPENSSL_VERSION,
                "user": os.getuid(),
                "version": version("shower"),
            }


        def main():
            if sys.argv[1:2] == ["serve"]:
                signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
                print("ready", flush=True)
                time.sleep(60)
            if sys.argv[1:2] == ["import"]:
                importlib.import_module(sys.argv[2])
            if sys.argv[1:2] == ["fail"]:
                raise ValueError("on purpose")
            print(json.dumps(show()))
        ''',
}


def write_project(folder: Path, files: dict[str, str]) -> Path:
    """Write ``files``, and return the folder."""
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return folder


def cannery(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    """Run cannery as people do."""
    command = [sys.executable, "-m", "cannery", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False)


@dataclass(frozen=True)
class Frozen:
    """A program that was made, and what was said of it."""

    report: dict[str, Any]

    @property
    def path(self) -> Path:
        return Path(self.report["path"])


def freeze(project: Path, *flags: str) -> Frozen:
    """Freeze a project, and expect that to work."""
    done = cannery("freeze", "--json", *flags, cwd=project)
    assert done.returncode == 0, done.stderr
    return Frozen(json.loads(done.stdout))


@pytest.fixture(scope="session")
def own_cache(shared_cache: Path) -> Iterator[Path]:
    """The cache of what is made once for many tests."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("CANNERY_CACHE", str(shared_cache))
        patch.setenv("CANNERY_ENGINE", "none")
        yield shared_cache


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_project(tmp_path_factory.mktemp("shower"), FILES)


@pytest.fixture(scope="session")
def static(project: Path, own_cache: Path) -> Frozen:  # noqa: ARG001  # used by what it starts
    """The project as one static file."""
    return freeze(project)

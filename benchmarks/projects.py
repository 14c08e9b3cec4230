"""The projects that are built: small and large, made anew for each measurement."""

from __future__ import annotations

import random
import shutil
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["REPOSITORY", "heavy", "large", "modules", "sample"]

REPOSITORY = Path(__file__).resolve().parent.parent
_SAMPLE = ("main.py", "my_project", "pyproject.toml", "requirements.txt", "tasks.py")
_MODULES, _FUNCTIONS = 2_000, 30
_BLOCK = 1_000_000  # bytes
_TEXT = b"what a program has to say, over and over again\n"


def sample(folder: Path) -> Path:
    """A copy of this repository's sample; returns its folder."""
    folder.mkdir(parents=True)
    for name in _SAMPLE:
        source = REPOSITORY / name
        copy = shutil.copytree if source.is_dir() else shutil.copy
        copy(source, folder / name)
    return folder


def large(folder: Path) -> Path:
    """The sample with 2,000 modules more, of 120 lines each."""
    sample(folder)
    _write_modules(folder / "my_project", _MODULES)
    return folder


def modules(folder: Path, count: int) -> Path:
    """A project of a script and ``count`` modules, of 120 lines each, that requires nothing."""
    folder.mkdir(parents=True)
    (folder / "main.py").write_text('print("hello")\n', encoding="utf-8")
    (folder / "tasks.py").write_text("from cannery.tasks import namespace\n", encoding="utf-8")
    settings = '[project]\nname = "many"\nversion = "1"\n\n[tool.cannery]\nentry = "main.py"\npackages = ["many"]\n'
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    (folder / "many").mkdir()
    (folder / "many" / "__init__.py").touch()
    _write_modules(folder / "many", count)
    return folder


def _write_modules(package: Path, count: int) -> None:
    for number in range(count):
        module = package / f"part_{number // 100:02}" / f"module_{number:04}.py"
        module.parent.mkdir(exist_ok=True)
        module.write_text(_module(number), encoding="utf-8")


def heavy(folder: Path, *, files: int, size: int) -> Path:
    """A project of one script and ``files`` resources of ``size`` bytes together, half of which compress well."""
    folder.mkdir(parents=True)
    (folder / "main.py").write_text('print("hello")\n', encoding="utf-8")
    (folder / "tasks.py").write_text("from cannery.tasks import namespace\n", encoding="utf-8")
    settings = '[project]\nname = "heavy"\nversion = "1"\n\n[tool.cannery]\nentry = "main.py"\nresources = ["data"]\n'
    (folder / "pyproject.toml").write_text(settings, encoding="utf-8")
    source = random.Random(0)  # noqa: S311  # it only has to be hard to compress
    for number in range(files):
        path = folder / "data" / f"{number // 1000:03}" / f"{number:06}.bin"
        path.parent.mkdir(parents=True, exist_ok=True)
        with path.open("wb") as stream:
            stream.writelines(_blocks(size // files, source))
    return folder


def _blocks(size: int, source: random.Random) -> Iterator[bytes]:
    """``size`` bytes, a part at a time: half of each cannot be compressed."""
    for begin in range(0, size, _BLOCK):
        length = min(_BLOCK, size - begin)
        noise = source.randbytes(length // 2)
        yield noise + (_TEXT * (length // len(_TEXT) + 1))[: length - len(noise)]


def _module(number: int) -> str:
    functions = [
        f'def function_{each}(value: int) -> int:\n    """Add {number + each} to ``value``."""\n'
        f"    return value + {number + each}\n\n"
        for each in range(_FUNCTIONS)
    ]
    return "\n".join(functions)

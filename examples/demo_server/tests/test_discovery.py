"""Modules are found in whatever form they are."""

from __future__ import annotations

import compileall
import sys
from importlib.machinery import EXTENSION_SUFFIXES
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import demo_server
from demo_server.core import blueprints
from demo_server.utils.discovery import DiscoveryError, discover, discover_in, package_at

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a package in it, on the path; it's forgotten afterwards."""
    files = {
        "found/__init__.py": "",
        "found/zebra.py": "from . import ape\nfrom .below.deep import name",
        "found/ape.py": "",
        "found/below/__init__.py": "",
        "found/below/deep.py": "name = __name__",
        "found/data.txt": "",
    }
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)
    monkeypatch.syspath_prepend(tmp_path)
    before = set(sys.modules)
    yield tmp_path / "found"
    for name in set(sys.modules) - before:
        del sys.modules[name]


NAMES = ["found", "found.ape", "found.below", "found.below.deep", "found.zebra"]


def test_modules_are_found_by_name_and_by_folder(package: Path) -> None:
    by_name = list(discover("found"))
    by_folder = list(discover_in(package))
    assert [module.__name__ for module in by_name] == NAMES
    assert all(one is other for one, other in zip(by_name, by_folder, strict=True))
    assert [module.__name__ for module in discover_in(package / "below")] == ["found.below", "found.below.deep"]


def test_bytecode_is_found_as_well(package: Path) -> None:
    compileall.compile_dir(package, quiet=1, legacy=True)
    for path in package.rglob("*.py"):
        path.unlink()
    assert package_at(package / "below") == "found.below"
    assert [module.__name__ for module in discover("found")] == NAMES
    assert str(sys.modules["found.ape"].__file__).endswith(".pyc")


def test_a_compiled_package_is_known_by_its_folder(package: Path) -> None:
    for path in (package / "__init__.py", package / "below" / "__init__.py"):
        path.rename(path.with_suffix(EXTENSION_SUFFIXES[0]))
    assert package_at(package / "below") == "found.below"


def test_a_module_that_fails_is_named(package: Path) -> None:
    (package / "below" / "broken.py").write_text("import nowhere_to_be_found")
    with pytest.raises(DiscoveryError, match=r"found\.below\.broken can't be imported: ModuleNotFoundError"):
        list(discover("found"))


def test_a_folder_that_cannot_be_imported_is_refused(tmp_path: Path) -> None:
    (tmp_path / "elsewhere" / "package").mkdir(parents=True)
    (tmp_path / "elsewhere" / "package" / "__init__.py").touch()
    with pytest.raises(DiscoveryError, match=r"not on sys\.path"):
        list(discover_in(tmp_path / "elsewhere" / "package"))


def test_the_service_has_each_of_its_blueprints_once() -> None:
    assert [blueprint.name for blueprint in blueprints()] == ["books", "health", "statistics"]
    assert package_at(Path(demo_server.__path__[0], "routes")) == "demo_server.routes"

"""The analysis as others use it: folders in, what is reached out."""

from __future__ import annotations

import doctest
import shutil
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cannery.imports
from cannery.errors import ConfigurationError, RuntimeTreeError
from cannery.imports import Missing, Module, Reach, Reason, analyse
from cannery.workspace.process import run

if TYPE_CHECKING:
    from tests.conftest import MakeProject

FILES = {
    "src/shop/__init__.py": "",
    "src/shop/__main__.py": "from shop import prices\n",
    "src/shop/prices.py": "from money import rates\ntry:\n    import gift\nexcept ImportError:\n    gift = None\n",
    "src/tool.py": "import money.rates\n",
    "site-packages/money/__init__.py": "",
    "site-packages/money/rates.py": "import decimal\n",
    "site-packages/money/rates.csv": "",
    "site-packages/money/coins.py": "",
    "site-packages/.hidden/a.py": "",
}


@pytest.fixture
def folder(make_project: MakeProject, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The program that the example in the docstring is about; it's the current folder."""
    folder = make_project(FILES)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A cache that all these tests share, so that the standard library is read once."""
    return tmp_path_factory.getbasetemp() / "analyses"


@pytest.mark.slow
def test_the_example_in_the_docstring_is_true(folder: Path) -> None:
    assert folder == Path.cwd()
    done = doctest.testmod(cannery.imports)
    assert done.attempted > 3
    assert done.failed == 0


@pytest.mark.slow
def test_paths_are_those_of_this_machine(folder: Path, cache: Path) -> None:
    found = analyse("src", start="shop.__main__", installed="site-packages", python=sys.executable, cache=cache)
    assert found.modules["shop.prices"].path == f"{folder}/src/shop/prices.py"
    assert found.modules["money.rates"].path == f"{folder}/site-packages/money/rates.py"
    assert [path for path in found.data if path.startswith(str(folder))] == [f"{folder}/site-packages/money/rates.csv"]
    library = {each.path for each in found.modules.values() if each.place == "stdlib" and each.kind == "source"}
    assert f"{Path(sysconfig.get_path('stdlib')).resolve()}/decimal.py" in library
    assert all(Path(path).is_file() for path in found.paths)
    assert "money.coins" in found.left_out
    assert isinstance(found, Reach)
    assert isinstance(found.missing["gift"], Missing)
    assert found.modules["money"] == Module(
        "source", "dependencies", f"{folder}/site-packages/money/__init__.py", package=True,
        reason=Reason("shop.prices", "imported"),
    )  # fmt: skip


@pytest.mark.parametrize("start", ["tool", "tool:main", Path("src/tool.py")], ids=["module", "entry point", "script"])
def test_a_program_begins_with_a_module_an_entry_point_or_a_script(
    start: str | Path, folder: Path, cache: Path
) -> None:
    found = analyse(["src"], start=start, installed=[folder / "site-packages"], python=sys.executable, cache=cache)
    assert found.why("money.rates")[-1][1] == Reason("", "started")
    assert ("__main__" in found.modules) == isinstance(start, Path)


def test_what_is_asked_for_besides_counts_as_reached(folder: Path, cache: Path) -> None:
    found = analyse(
        folder / "src", start="shop", installed="site-packages", python=sys.executable, include=["money.*"], cache=cache
    )
    assert found.modules["money.coins"].reason.how == "included"


def test_a_change_is_seen_with_a_cache(folder: Path, cache: Path) -> None:
    def missing() -> set[str]:
        found = analyse("src", start="shop", python=sys.executable, cache=cache).missing
        return {"money", "money.rates", "gift", "another"} & found.keys()

    assert missing() == {"money", "money.rates", "gift"}
    (folder / "src/shop/prices.py").write_text("import another\n")
    (folder / "src/tool.py").unlink()
    assert missing() == {"another"}


def test_links_to_folders_are_followed_and_a_ring_of_them_ends(folder: Path, cache: Path) -> None:
    shutil.move(folder / "site-packages/money", folder / "elsewhere")
    (folder / "site-packages/money").symlink_to(folder / "elsewhere")
    (folder / "elsewhere/again").symlink_to(folder / "elsewhere")
    found = analyse("src", start="tool", installed="site-packages", python=sys.executable, cache=cache)
    assert "money.rates" in found.modules


@pytest.mark.parametrize(
    ("app", "start", "what"),
    [
        ("nowhere", "shop", "there is no folder"), ("src", "shopp", "there is no module shopp"),
        ("src", Path("main.py"), "there is no script"), ("src", Path("site-packages/money/rates.py"), "in the app"),
    ],
)  # fmt: skip
def test_what_is_not_there_is_told(app: str, start: str | Path, what: str, folder: Path, cache: Path) -> None:
    assert folder.is_dir()
    with pytest.raises(ConfigurationError, match=what):
        analyse(app, start=start, python=sys.executable, cache=cache)


def test_what_is_no_python_is_told(folder: Path, cache: Path) -> None:
    with pytest.raises(RuntimeTreeError, match="does not answer as a Python"):
        analyse(folder / "src", start="shop", python="/bin/true", cache=cache)


def test_a_name_is_imported_when_it_is_asked_for() -> None:
    program = """
        import sys, cannery.imports.model
        assert not {"cannery.imports.library", "cannery.imports.graph"} & sys.modules.keys()
        from cannery.imports import *
        assert analyse.__module__ in sys.modules
        import cannery.imports as imports
        assert all(getattr(imports, name) is globals()[name] for name in imports.__all__)
        assert not hasattr(imports, "nothing")
    """
    run([sys.executable, "-c", "\n".join(line.strip() for line in program.splitlines())])

"""What can be read in compiled modules, made by the real compiler."""

from __future__ import annotations

import io
import sys
import sysconfig
from typing import TYPE_CHECKING

import pytest

from cannery.audit.pyc import is_start_of_source, read_pyc, strings_of
from cannery.audit.readable import readable_strings
from cannery.audit.scan import scan
from cannery.workspace.process import run
from tests.support.bad_images import contents_of, file, layer
from tests.support.elf_files import on_disk
from tests.support.made_up_tokens import GITHUB

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.slow

SECRETS = [f"the price of article {number} is nobody's business" for number in range(40)]
SOURCE = f'"""How prices are made."""\nKEY = "{GITHUB}"\n' + "\n".join(
    f"def price_{number}(article):\n    return article.name + {secret!r}" for number, secret in enumerate(SECRETS)
)


@pytest.fixture(scope="session", params=[0, 1, 90], ids=["plain", "zlib", "packed as Cython does"])
def module(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An extension module with texts enough for Cython to pack them."""
    folder = tmp_path_factory.mktemp("module")
    (folder / "prices.py").write_text(SOURCE)
    run([sys.executable, "-m", "cython", "-3", "prices.py"], cwd=folder)
    include = f"-I{sysconfig.get_paths()['include']}"
    flags = ["-shared", "-fPIC", "-O1", "-g0", "-s", f"-DCYTHON_COMPRESS_STRINGS={request.param}"]
    run(["gcc", *flags, include, "prices.c", "-o", "prices.so"], cwd=folder)
    return folder / "prices.so"


def test_literals_names_and_docstrings_are_read_in_a_compiled_module(module: Path) -> None:
    texts = "\n".join(readable_strings(on_disk(module)))
    assert all(secret in texts for secret in SECRETS)
    assert "How prices are made." in texts
    assert "price_39" in texts


def test_a_token_in_a_compiled_module_is_found_however_its_texts_are_packed(module: Path) -> None:
    data = module.read_bytes()
    found = scan("/app/prices.so", io.BytesIO(data), len(data)).secrets
    assert {secret.kind.id for secret in found} == {"github-token"}


def test_a_token_in_bytecode_is_found_once(tmp_path: Path) -> None:
    import py_compile  # noqa: PLC0415

    (tmp_path / "prices.py").write_text(SOURCE)
    py_compile.compile(str(tmp_path / "prices.py"), str(tmp_path / "prices.pyc"), doraise=True)
    data = (tmp_path / "prices.pyc").read_bytes()
    (secret,) = scan("/app/prices.pyc", io.BytesIO(data), len(data)).secrets
    assert secret.kind.id == "github-token"


def test_bytecode_is_read_without_being_trusted(tmp_path: Path) -> None:
    import py_compile  # noqa: PLC0415

    (tmp_path / "prices.py").write_text(SOURCE)
    py_compile.compile(str(tmp_path / "prices.py"), str(tmp_path / "prices.pyc"), doraise=True)
    data = (tmp_path / "prices.pyc").read_bytes()
    code = read_pyc(data)
    assert code is not None
    assert set(SECRETS) < set(strings_of(code))
    for end in range(0, len(data), 7):
        read_pyc(data[:end] + b"\xff" * 7 + data[end + 7 :])  # whatever it is, it's no crash


def test_what_is_readable_is_told_of_the_app_s_own_files_only(tmp_path: Path) -> None:
    import py_compile  # noqa: PLC0415

    (tmp_path / "prices.py").write_text(SOURCE)
    py_compile.compile(str(tmp_path / "prices.py"), str(tmp_path / "prices.pyc"), doraise=True)
    data = (tmp_path / "prices.pyc").read_bytes()
    contents = contents_of(layer(file("app/prices.pyc", data), file("usr/lib/python3.11/site-packages/x.pyc", data)))
    readable = {path: bool(place.node.facts.readable) for path, place in contents.visible.items()}
    assert readable == {"/app/prices.pyc": True, "/usr/lib/python3.11/site-packages/x.pyc": False}


@pytest.mark.parametrize(
    ("source", "starts"),
    [
        (
            b"#!/usr/bin/python3\nimport sys\nfrom x import main\nif __name__ == '__main__':\n    sys.exit(main())\n",
            True,
        ),
        (b"from x import app\n\napp.run()\n", True),
        (b"from x import app\n\ndef start():\n    app.run()\n", False),
        (b"API_URL = 'https://internal.example/prices?for=everybody'\n", False),
        (b"def", False),
    ],
    ids=["console script", "three lines", "with a function", "with a long text", "no Python"],
)
def test_a_script_that_only_starts_something_is_told_from_one_that_does_something(
    source: bytes, *, starts: bool
) -> None:
    assert is_start_of_source(source) is starts

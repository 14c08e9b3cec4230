"""Stripping what real people build: this Python, numpy (whose libraries patchelf has changed), polars."""

from __future__ import annotations

import subprocess
import sys
import sysconfig
from importlib.util import find_spec
from pathlib import Path

import pytest

from cannery.elf.strip import strip_elf
from cannery.image.content import OnDisk
from cannery.image.tree import File, Tree
from cannery.trees.transforms.strip import strip
from tests.support.elf_files import complaints, on_disk, write

pytestmark = [pytest.mark.once, pytest.mark.slow]


def test_this_python_runs_as_before(tmp_path: Path) -> None:
    executable = Path(sys.executable).resolve()
    shared = sysconfig.get_config_var("LDLIBRARY")
    write(strip_elf(on_disk(executable)).content, tmp_path / "python")
    for path in Path(sysconfig.get_config_var("LIBDIR")).glob(f"{shared}*") if shared.endswith(".so") else ():
        write(strip_elf(on_disk(path)).content, tmp_path / path.name)
    for path in Path(sysconfig.get_path("stdlib"), "lib-dynload").glob("*.so"):
        write(strip_elf(on_disk(path)).content, tmp_path / path.name)
        assert complaints(tmp_path / path.name) <= complaints(path)
    done = subprocess.run(
        [str(tmp_path / "python"), "-c", "import _json, _socket, math; print(_json.__file__, math.pi)"],
        env={
            "PYTHONHOME": f"{sys.base_prefix}:{sys.base_exec_prefix}",
            "PYTHONPATH": str(tmp_path),
            "LD_LIBRARY_PATH": str(tmp_path),
        },
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout.endswith("3.141592653589793\n")


def stripped_package(name: str, folder: Path) -> int:
    """Put an installed package into ``folder``, stripped; return how many bytes that saved."""
    spec = find_spec(name)
    if spec is None or spec.origin is None:
        pytest.skip(f"{name} is not installed")
    source = Path(spec.origin).parent
    saved = 0
    for package in (source, source.with_name(f"{name}.libs")):
        tree = Tree({f"/{path.relative_to(source.parent)}": File(on_disk(path)) for path in files_of(package)})
        for path, entry in (tree | strip).files():
            target = folder / path[1:]
            target.parent.mkdir(parents=True, exist_ok=True)
            if isinstance(entry.content, OnDisk):
                target.symlink_to(entry.content.path)
            else:
                write(entry.content, target)
                saved += (source.parent / path[1:]).stat().st_size - entry.content.size
                assert complaints(target) <= complaints(source.parent / path[1:]), path
    return saved


def files_of(folder: Path) -> list[Path]:
    return [path for path in folder.rglob("*") if path.is_file() and path.suffix != ".pyc"]


def output_of(code: str, folder: Path) -> str:
    done = subprocess.run(
        [sys.executable, "-c", code], env={"PYTHONPATH": str(folder)}, capture_output=True, text=True, check=True
    )
    return done.stdout


@pytest.mark.once
def test_numpy_multiplies_as_before(tmp_path: Path) -> None:
    stripped_package("numpy", tmp_path)
    code = "import numpy; a = numpy.eye(300) * 3.0; print(numpy.__file__, (a @ numpy.linalg.inv(a)).trace())"
    assert output_of(code, tmp_path) == f"{tmp_path}/numpy/__init__.py 300.0\n"


@pytest.mark.once
def test_polars_groups_as_before_and_is_30_mb_smaller(tmp_path: Path) -> None:
    name = next((name for name in ("_polars_runtime_32", "polars") if find_spec(name)), "polars")
    assert stripped_package(name, tmp_path) > 30_000_000
    count = "polars.DataFrame({'a': [1, 2, 1]}).group_by('a').len().height"
    code = f"import polars, {name}; print({name}.__file__, {count})"
    assert output_of(code, tmp_path) == f"{tmp_path}/{name}/__init__.py 2\n"

"""The folders that a project's packages lie in, as the settings of its build backend say."""

from __future__ import annotations

import ast
import re
from pathlib import PurePosixPath
from typing import TYPE_CHECKING, Any

from cannery.project.setup_files import setup_calls, setup_cfg
from cannery.project.tables import tables_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["declared_roots", "renamed_packages"]


def declared_roots(folder: Path) -> tuple[PurePosixPath, ...]:
    """The folders, relative to the project's, that imports start from by the settings of build backends.

    They are read from all backends' tables: hardly any project has those of two. Folders outside the project, and those
    that aren't there, are left out.
    """
    tables = _at(tables_of(folder / "pyproject.toml"), "tool")
    found = [
        *_of_hatch(_at(tables, "hatch", "build")),
        *_of_setuptools(_at(tables, "setuptools")),
        *_of_setup_cfg(folder),
        *_of_setup_py(folder),
        *_strings(_at(tables, "pdm", "build").get("package-dir")),
        *_strings(_at(tables, "maturin").get("python-source")),
        *(each.get("from", "") for each in _list(_at(tables, "poetry").get("packages")) if isinstance(each, dict)),
        *_strings(_at(tables, "uv", "build-backend").get("module-root")),
        *_parents(_list(_at(tables, "scikit-build", "wheel").get("packages"))),
    ]
    roots = (PurePosixPath(each) for each in found)
    return tuple(dict.fromkeys(root for root in roots if ".." not in root.parts and (folder / root).is_dir()))


def renamed_packages(folder: Path) -> dict[str, str]:
    """Package -> its folder, relative to the project's, where a build backend gives it another name than that."""
    tables = _at(tables_of(folder / "pyproject.toml"), "tool")
    build = _at(tables, "hatch", "build")
    of_hatch = {**_at(build, "sources"), **_at(build, "targets", "wheel", "sources")}
    of_poetry = (each for each in _list(_at(tables, "poetry").get("packages")) if isinstance(each, dict))
    found = [
        *_at(tables, "setuptools", "package-dir").items(),
        *((name, path) for path, name in of_hatch.items()),
        *((f"{each['to']}/{each['include']}", f"{each.get('from', '')}/{each['include']}")
          for each in of_poetry if {"to", "include"} <= each.keys()),
    ]  # fmt: skip
    named = ((name.replace(".", "/").strip("/"), path.strip("/")) for name, path in found)
    return {
        name.replace("/", "."): path
        for name, path in named
        if name and not f"/{path}".endswith(f"/{name}") and (folder / path).is_dir()
    }


def _of_hatch(build: dict[str, Any]) -> Iterator[str]:
    """(hatch.pypa.io, build configuration: ``packages``, ``only-include`` with ``sources``, ``dev-mode-dirs``)."""
    for table in (_at(build, "targets", "wheel"), build):
        yield from _parents(_list(table.get("packages")))
        sources = table.get("sources", [])
        if isinstance(sources, dict):  # a folder -> what it's called in the wheel
            for path, name in sources.items():
                if not name:
                    yield path
                elif path == name or path.endswith(f"/{name}"):
                    yield path.removesuffix(name).rstrip("/")
        yield from _strings(_list(sources))
        if not sources:
            yield from _parents(_list(table.get("only-include")))
    yield from _strings(_list(build.get("dev-mode-dirs")))


def _of_setuptools(table: dict[str, Any]) -> Iterator[str]:
    """(setuptools.pypa.io, ``package-dir`` and ``packages.find``)."""
    yield from _of_package_dir(table.get("package-dir", {}))
    packages = table.get("packages", {})
    if isinstance(packages, dict):
        yield from _strings(_list(_at(packages, "find").get("where")))


def _of_package_dir(mapping: dict[str, str]) -> Iterator[str]:
    """The root of all packages, and those of packages that have a place of their own."""
    for package, path in mapping.items():
        inner = package.replace(".", "/")
        if not package:
            yield path
        elif path == inner or path.endswith(f"/{inner}"):
            yield path.removesuffix(inner).rstrip("/")


def _of_setup_cfg(folder: Path) -> Iterator[str]:
    sections = setup_cfg(folder)
    lines = sections.get("options", {}).get("package_dir", "").split("\n")
    pairs = (line.partition("=") for line in lines if "=" in line)
    yield from _of_package_dir({name.strip(): value.strip() for name, _, value in pairs})
    yield from filter(None, re.split(r"[\s,]+", sections.get("options.packages.find", {}).get("where", "")))


def _of_setup_py(folder: Path) -> Iterator[str]:
    """What is written out in the calls of ``setup``, ``find_packages`` and ``find_namespace_packages``."""
    for call in setup_calls(folder):
        arguments = {each.arg: _literal(each.value) for each in call.keywords}
        if isinstance(mapping := arguments.get("package_dir"), dict):
            yield from _of_package_dir({str(name): str(value) for name, value in mapping.items()})
        if isinstance(call.func, ast.Name) and call.func.id in {"find_packages", "find_namespace_packages"}:
            yield from _strings([arguments.get("where"), *map(_literal, call.args[:1])])


def _literal(node: ast.expr) -> object:
    try:
        return ast.literal_eval(node)
    except ValueError:
        return None


def _parents(paths: Iterable[object]) -> Iterator[str]:
    return (PurePosixPath(path).parent.as_posix() for path in paths if isinstance(path, str))


def _strings(values: object) -> Iterator[str]:
    return (value for value in _list(values) if isinstance(value, str))


def _list(value: object) -> list[object]:
    """``value`` as a list; empty for none, and for a table."""
    if isinstance(value, list):
        return value
    return [] if value is None or isinstance(value, dict) else [value]


def _at(table: Mapping[str, Any], *names: str) -> dict[str, Any]:
    """The table at the path ``names``; empty where there is none, or something else."""
    for name in names:
        inner = table.get(name)
        table = inner if isinstance(inner, dict) else {}
    return dict(table)

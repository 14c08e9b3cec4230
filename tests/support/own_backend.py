"""A build backend that lies in a project itself (PEP 517, in-tree build backends), so that no index is needed."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["own_backend"]

_BUILD_SYSTEM = """
[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]
"""

# Notes each call in a file that is no part of the project, where the environment names one.
_BACKEND = """
import os, pathlib, zipfile

NAME, REQUIRES, VERSION = {name!r}, {requires!r}, {version}


def _noted(call):
    if "NOTE_CALLS" in os.environ:
        with open(os.environ["NOTE_CALLS"], "a") as file:
            print(call, file=file)


def _metadata():
    lines = ["Metadata-Version: 2.1", f"Name: {{NAME}}", f"Version: {{VERSION}}"]
    return "\\n".join([*lines, *(f"Requires-Dist: {{each}}" for each in REQUIRES), "Provides-Extra: x", ""])


def prepare_metadata_for_build_wheel(folder, settings=None):
    _noted("metadata")
    made = pathlib.Path(folder, f"{{NAME}}-{{VERSION}}.dist-info")
    made.mkdir()
    (made / "METADATA").write_text(_metadata())
    (made / "entry_points.txt").write_text({entry_points!r})
    return made.name


def build_wheel(folder, settings=None, metadata=None):
    _noted("wheel")
    info = f"{{NAME}}-{{VERSION}}.dist-info"
    files = {{f"{{info}}/METADATA": _metadata(), f"{{info}}/entry_points.txt": {entry_points!r}}}
    files[f"{{info}}/WHEEL"] = "Wheel-Version: 1.0\\nGenerator: own\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n"
    files |= {{str(path): path.read_text() for path in pathlib.Path(NAME).rglob("*") if path.is_file()}}
    files[f"{{info}}/RECORD"] = "".join(f"{{path}},,\\n" for path in [*files, f"{{info}}/RECORD"])
    with zipfile.ZipFile(pathlib.Path(folder, f"{{NAME}}-{{VERSION}}-py3-none-any.whl"), "w") as archive:
        for path, text in files.items():
            archive.writestr(path, text)
    return f"{{NAME}}-{{VERSION}}-py3-none-any.whl"


prepare_metadata_for_build_editable, build_editable = prepare_metadata_for_build_wheel, build_wheel
"""


def own_backend(
    name: str,
    *,
    project: str | None = None,
    requires: tuple[str, ...] = (),
    version: str = "'1.0'",
    entry_points: str = "",
    files: Mapping[str, str] | None = None,
) -> dict[str, str]:
    """The files of a project that builds itself: the package ``name``, whose ``version`` is an expression of Python's.

    ``project`` is the text of ``[project]``, by default one in which nothing is dynamic.
    """
    static = f'[project]\nname = "{name}"\nversion = "1.0"\ndependencies = {list(requires)}\n'
    backend = _BACKEND.format(name=name, requires=requires, version=version, entry_points=entry_points)
    described = {"pyproject.toml": (static if project is None else project) + _BUILD_SYSTEM, "backend.py": backend}
    return {**described, f"{name}/__init__.py": "", **(files or {})}

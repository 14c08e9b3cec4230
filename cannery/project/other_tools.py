"""Requirements as Pipenv, PDM and conda write them, as lines of a requirements file."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec

from cannery.errors import RequirementsError
from cannery.project.requirements_file import parse_lines, read_text
from cannery.workspace.documents import json_value, toml_tables

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from cannery.project.app import RequirementsKind
    from cannery.project.requirement_lines import RequirementLines

__all__ = ["groups_of", "lines_of", "python_of_pipenv"]

Form = TypeVar("Form")

_PIPENV_TABLES = {"packages": "default", "dev-packages": "develop"}  # what Pipfile calls it -> what Pipfile.lock does
_MARKERS = ("sys_platform", "platform_system", "platform_machine", "os_name", "python_version", "python_full_version")


class _PipenvSource(msgspec.Struct, frozen=True):
    """An index, as Pipfile and its lock name it."""

    url: str = ""


class _PipenvMeta(msgspec.Struct, frozen=True):
    """What Pipfile says beside its packages; ``_meta`` of its lock."""

    sources: tuple[_PipenvSource, ...] = ()
    source: tuple[_PipenvSource, ...] = ()
    requires: dict[str, str] = {}


class _PipenvEntry(msgspec.Struct, frozen=True):
    """A package of Pipfile, or of its lock."""

    version: str = "*"
    extras: tuple[str, ...] = ()
    path: str | None = None
    file: str | None = None
    git: str | None = None
    ref: str | None = None
    hashes: tuple[str, ...] = ()
    markers: str | None = None
    sys_platform: str | None = None
    platform_system: str | None = None
    platform_machine: str | None = None
    os_name: str | None = None
    python_version: str | None = None
    python_full_version: str | None = None


class _PdmFile(msgspec.Struct, frozen=True):
    """A file of a package."""

    hash: str


class _PdmPackage(msgspec.Struct, frozen=True):
    """A package of ``pdm.lock``."""

    name: str
    version: str = ""
    groups: tuple[str, ...] = ("default",)
    extras: tuple[str, ...] = ()
    git: str | None = None
    revision: str | None = None
    ref: str = "HEAD"
    path: str | None = None
    url: str | None = None
    marker: str | None = None
    files: tuple[_PdmFile, ...] = ()


class _PdmMetadata(msgspec.Struct, frozen=True):
    """What ``pdm.lock`` says of itself."""

    groups: tuple[str, ...] = ()


class _PdmLock(msgspec.Struct, frozen=True):
    """``pdm.lock``, as far as it's read."""

    metadata: _PdmMetadata = _PdmMetadata()
    package: tuple[_PdmPackage, ...] = ()


_PipenvTable = dict[str, str | _PipenvEntry]


def lines_of(path: Path, kind: RequirementsKind, groups: Iterable[str]) -> RequirementLines:
    """The requirements of a file of Pipenv, PDM or conda, with those of ``groups``, as lines.

    Raises :class:`RequirementsError` for a file that can't be read.
    """
    match kind:
        case "pipenv":
            return _lines_of_pipenv(path, groups)
        case "pdm":
            return _lines_of_pdm(path, groups)
        case _:
            return _lines_of_conda(path)


def groups_of(path: Path, kind: RequirementsKind) -> set[str]:
    """The groups that such a file has besides the project's own requirements."""
    match kind:
        case "pipenv":
            inner = {"_meta", "source", "requires", "scripts", "pipenv", "packages", "default"}
            names = _document(path).keys() - inner
            return {"dev" if name in {"dev-packages", "develop"} else name for name in names}
        case "pdm":
            return {*_checked(_document(path), _PdmLock, path).metadata.groups} - {"default"}
        case _:
            return set()


def _lines_of_pipenv(path: Path, groups: Iterable[str] = ()) -> RequirementLines:
    """The lines of ``Pipfile.lock``, which have hashes, or of ``Pipfile``, whose categories are ``groups``."""
    document = _document(path)
    meta = _checked(document.get("_meta", {}) if path.suffix == ".lock" else document, _PipenvMeta, path)
    options = [
        f"{'--extra-index-url' if position else '--index-url'} {source.url}"
        for position, source in enumerate(meta.sources or meta.source)
        if source.url.rstrip("/") != "https://pypi.org/simple" or position
    ]
    wanted = ["packages", *("dev-packages" if group in {"dev", "develop"} else group for group in groups)]
    named = _PIPENV_TABLES if path.suffix == ".lock" else {}
    tables = [_checked(document.get(named.get(table, table), {}), _PipenvTable, path) for table in wanted]
    lines = [_pipenv_line(name, entry) for table in tables for name, entry in table.items()]
    return parse_lines("\n".join([*options, *lines]), path)


def python_of_pipenv(path: Path) -> str:
    """The versions of Python that ``Pipfile`` allows, as ``requires-python`` has them; empty where it names none."""
    document = _document(path)
    requires = _checked(document.get("_meta", document), _PipenvMeta, path).requires
    version = requires.get("python_full_version") or requires.get("python_version") or ""
    return f"=={version}{'.*' if version.count('.') == 1 else ''}" if version else ""


def _pipenv_line(name: str, entry: str | _PipenvEntry) -> str:
    """A package of Pipfile or of its lock as a line of a requirements file (pipenv.pypa.io, Specifiers)."""
    table = _PipenvEntry(version=entry) if isinstance(entry, str) else entry
    extras = f"[{','.join(table.extras)}]" if table.extras else ""
    version = "" if table.version == "*" else table.version
    place = table.path or table.file
    if table.git is not None:
        text = f"{name}{extras} @ git+{table.git}" + ("" if table.ref is None else f"@{table.ref}")
    elif place == ".":
        text = f".{extras}"
    elif place:
        text = f"{name}{extras} @ {place if '/' in place else f'./{place}'}"
    else:
        text = f"{name}{extras}{version}"
    markers = [table.markers] if table.markers else []
    markers += [f"{marker} {value}" for marker in _MARKERS if (value := getattr(table, marker)) is not None]
    return " ".join(
        [text, *([f"; {' and '.join(f'({each})' for each in markers)}"] if markers else []), *_hashes(table.hashes)]
    )


def _lines_of_pdm(path: Path, groups: Iterable[str] = ()) -> RequirementLines:
    """The lines of ``pdm.lock``, which have hashes (pdm-project.org, Lockfile)."""
    wanted = {"default", *groups}
    packages = [each for each in _checked(_document(path), _PdmLock, path).package if wanted.intersection(each.groups)]
    return parse_lines("\n".join(_pdm_line(each) for each in packages if not each.extras), path)


def _pdm_line(package: _PdmPackage) -> str:
    if package.git is not None:
        text = f"{package.name} @ git+{package.git}@{package.revision or package.ref}"
    elif place := package.path or package.url:
        text = f"{package.name} @ {place}"
    else:
        text = f"{package.name}=={package.version}"
    marker = f" ; {package.marker}" if package.marker else ""
    return " ".join([f"{text}{marker}", *_hashes(file.hash for file in package.files)])


def _lines_of_conda(path: Path) -> RequirementLines:
    """The lines that conda hands to pip (docs.conda.io, environment.yml); what conda itself installs is told."""
    text = read_text(path)
    own, of_pip = _conda_items(text)
    lines = parse_lines("\n".join(of_pip), path)
    names = [
        name for each in own if (name := re.split(r"[\s=<>!~:]+", each.rpartition("::")[2])[0]) not in {"python", "pip"}
    ]
    if names:
        lines.notes.append(
            f"{path.name} has packages that conda installs, and an image takes those of pip alone: {', '.join(names)} "
            "stay out; name them below pip:, as PyPI calls them, where the program needs them"
        )
    return lines


def _conda_items(text: str) -> tuple[list[str], list[str]]:
    """The items of ``dependencies``, and those of ``pip`` in it."""
    own: list[str] = []
    of_pip: list[str] = []
    inside, pip_at = False, -1
    for line in text.splitlines():
        stripped = re.sub(r"(^|\s)#.*$", "", line).rstrip()
        if not stripped:
            continue
        indent = len(stripped) - len(stripped.lstrip())
        item = stripped.strip()
        if not item.startswith("-"):
            inside = item == "dependencies:" if indent == 0 else inside
            continue
        value = item[1:].strip().strip("\"'")
        if not inside:
            continue
        if pip_at >= 0 and indent > pip_at:
            of_pip.append(value)
        elif value == "pip:":
            pip_at = indent
        else:
            pip_at = -1
            own.append(value)
    return own, of_pip


def _hashes(digests: Iterable[str]) -> Iterator[str]:
    return (f"--hash={digest}" for digest in digests)


def _checked(value: object, form: type[Form], path: Path) -> Form:
    """A part of a document as a value of ``form``; raises :class:`RequirementsError` for one of another form."""
    try:
        return msgspec.convert(value, form)
    except (msgspec.ValidationError, UnicodeEncodeError) as error:
        raise _unreadable(path, error) from error


def _unreadable(path: Path, error: Exception) -> RequirementsError:
    return RequirementsError(f"{path} can't be read", evidence=str(error), step="write it anew with its tool")


def _document(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        document: dict[str, Any] = json_value(text) if path.name == "Pipfile.lock" else toml_tables(text)
    except ValueError as error:
        raise _unreadable(path, error) from error
    return _checked(document, dict[str, Any], path)

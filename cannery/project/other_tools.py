"""Requirements as Pipenv, PDM and conda write them, as lines of a requirements file."""

from __future__ import annotations

import json
import re
import tomllib
from typing import TYPE_CHECKING, Any

from cannery.errors import RequirementsError
from cannery.project.requirements_file import parse_lines, read_text

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

    from cannery.project.app import RequirementsKind
    from cannery.project.requirement_lines import RequirementLines

__all__ = ["groups_of", "lines_of", "python_of_pipenv"]

_PIPENV_TABLES = {"packages": "default", "dev-packages": "develop"}  # what Pipfile calls it -> what Pipfile.lock does
_MARKERS = ("sys_platform", "platform_system", "platform_machine", "os_name", "python_version", "python_full_version")


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
            return set(_document(path).get("metadata", {}).get("groups", [])) - {"default"}
        case _:
            return set()


def _lines_of_pipenv(path: Path, groups: Iterable[str] = ()) -> RequirementLines:
    """The lines of ``Pipfile.lock``, which have hashes, or of ``Pipfile``, whose categories are ``groups``."""
    document = _document(path)
    meta = document.get("_meta", {}) if path.suffix == ".lock" else document
    sources = meta.get("sources", meta.get("source", []))
    options = [
        f"{'--extra-index-url' if position else '--index-url'} {source['url']}"
        for position, source in enumerate(sources)
        if source.get("url", "").rstrip("/") != "https://pypi.org/simple" or position
    ]
    wanted = ["packages", *("dev-packages" if group in {"dev", "develop"} else group for group in groups)]
    named = _PIPENV_TABLES if path.suffix == ".lock" else {}
    tables = [document.get(named.get(table, table), {}) for table in wanted]
    lines = [_pipenv_line(name, entry) for table in tables for name, entry in table.items()]
    return parse_lines("\n".join([*options, *lines]), path)


def python_of_pipenv(path: Path) -> str:
    """The versions of Python that ``Pipfile`` allows, as ``requires-python`` has them; empty where it names none."""
    document = _document(path)
    requires = document.get("_meta", document).get("requires", {})
    version = requires.get("python_full_version") or requires.get("python_version") or ""
    return f"=={version}{'.*' if version.count('.') == 1 else ''}" if version else ""


def _pipenv_line(name: str, entry: str | Mapping[str, Any]) -> str:
    """A package of Pipfile or of its lock as a line of a requirements file (pipenv.pypa.io, Specifiers)."""
    table: Mapping[str, Any] = {"version": entry} if isinstance(entry, str) else entry
    extras = f"[{','.join(table['extras'])}]" if table.get("extras") else ""
    version = table.get("version", "*").replace("*", "") if table.get("version", "*") == "*" else table["version"]
    place = table.get("path") or table.get("file")
    if "git" in table:
        text = f"{name}{extras} @ git+{table['git']}" + (f"@{table['ref']}" if "ref" in table else "")
    elif place == ".":
        text = f".{extras}"
    elif place:
        text = f"{name}{extras} @ {place if '/' in place else f'./{place}'}"
    else:
        text = f"{name}{extras}{version}"
    markers = [table["markers"]] if table.get("markers") else []
    markers += [f"{marker} {table[marker]}" for marker in _MARKERS if marker in table]
    return " ".join(
        [text, *([f"; {' and '.join(f'({each})' for each in markers)}"] if markers else []), *_hashes(table)]
    )


def _lines_of_pdm(path: Path, groups: Iterable[str] = ()) -> RequirementLines:
    """The lines of ``pdm.lock``, which have hashes (pdm-project.org, Lockfile)."""
    document = _document(path)
    wanted = {"default", *groups}
    packages = [each for each in document.get("package", []) if wanted.intersection(each.get("groups", ["default"]))]
    return parse_lines("\n".join(_pdm_line(each) for each in packages if not each.get("extras")), path)


def _pdm_line(package: Mapping[str, Any]) -> str:
    if "git" in package:
        text = f"{package['name']} @ git+{package['git']}@{package.get('revision', package.get('ref', 'HEAD'))}"
    elif "path" in package:
        text = f"{package['name']} @ {package['path']}"
    elif "url" in package:
        text = f"{package['name']} @ {package['url']}"
    else:
        text = f"{package['name']}=={package['version']}"
    marker = f" ; {package['marker']}" if package.get("marker") else ""
    hashes = [file["hash"] for file in package.get("files", [])]
    return " ".join([f"{text}{marker}", *_hashes({"hashes": hashes})])


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


def _hashes(table: Mapping[str, Any]) -> Iterator[str]:
    return (f"--hash={digest}" for digest in table.get("hashes", ()))


def _document(path: Path) -> dict[str, Any]:
    text = read_text(path)
    try:
        document: dict[str, Any] = json.loads(text) if path.name == "Pipfile.lock" else tomllib.loads(text)
    except ValueError as error:
        raise RequirementsError(
            f"{path} can't be read", evidence=str(error), step="write it anew with its tool"
        ) from error
    return document

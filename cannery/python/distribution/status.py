"""dpkg's data base of packages: paragraphs of fields, read and written (deb-control(5), dpkg-query(1))."""

from __future__ import annotations

import posixpath
import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from pathlib import Path

__all__ = ["FILES_FIELD", "installed_packages", "merged_path", "owners_of", "paragraph", "paragraphs"]

FILES_FIELD: Final = "Cannery-Files"  # of an entry in status.d: programs and libraries of the package in the image
_FIELDS: Final = ("Package", "Version", "Architecture", "Source")  # of what scanners read of it
_MERGED: Final = re.compile(r"^/(?=(?:s?bin|lib(?:32|64|x32)?)/)")


def paragraphs(text: str) -> Iterator[dict[str, str]]:
    """The paragraphs of a control file that name a package and its version; lines that go on are joined by spaces."""
    for part in re.split(r"\n\s*\n", text):
        fields: dict[str, str] = {}
        name = ""
        for line in part.splitlines():
            if line[:1] in {" ", "\t"} and name:
                fields[name] += f" {line.strip()}"
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
        if {"Package", "Version"} <= fields.keys():
            yield fields


def paragraph(fields: Mapping[str, str], files: Iterable[str] = ()) -> str:
    """An entry of a data base, of what scanners read of it, with the ``files`` that are the package's."""
    lines = [f"{name}: {fields[name]}" for name in _FIELDS if fields.get(name)]
    listed = sorted(files)
    return "\n".join([*lines, *([f"{FILES_FIELD}: {' '.join(listed)}"] if listed else []), "", ""])


def installed_packages(root: Path) -> dict[str, dict[str, str]]:
    """The packages that are installed in the root filesystem ``root``, by name; none where it has no dpkg."""
    try:
        text = (root / "var/lib/dpkg/status").read_text(encoding="utf-8", errors="replace")
    except OSError:
        return {}
    found = {each["Package"]: each for each in paragraphs(text) if each.get("Status", "").endswith(" installed")}
    return {name: {**each, "Source": _source(each)} for name, each in found.items()}


def owners_of(root: Path, paths: Iterable[str]) -> dict[str, str]:
    """The packages of those of ``paths`` in the root filesystem ``root`` that one is known to have."""
    wanted = {merged_path(path): path for path in paths}
    names = {posixpath.basename(path) for path in wanted}  # packages have some 100,000 files, most called otherwise
    found: dict[str, str] = {}
    for listed in sorted((root / "var/lib/dpkg/info").glob("*.list")):
        name = listed.name.removesuffix(".list").partition(":")[0]
        text = listed.read_text(encoding="utf-8", errors="replace")
        likely = (merged_path(line) for line in text.splitlines() if line.rpartition("/")[2] in names)
        found |= {wanted[path]: name for path in likely if path in wanted}
    return found


def merged_path(path: str) -> str:
    """``path`` as it is where /lib and /bin are links into /usr: packages name files by either."""
    return _MERGED.sub("/usr/", posixpath.normpath(path))


def _source(fields: Mapping[str, str]) -> str:
    """The source package, with its version where that is another than the package's (deb-control(5), Source)."""
    return fields.get("Source", "") or fields["Package"]

"""What of a distribution's packages is in an image, told where scanners look for it.

That is a file for each package in ``/var/lib/dpkg/status.d``, as distroless images have it: dpkg's own status is one
file, which no layer could add to. The packages are those that a Python was unpacked from, or those that are installed
where it lies: on this machine, or in an image.
"""

from __future__ import annotations

import json
import posixpath
import re
from collections import defaultdict
from typing import TYPE_CHECKING, Any, Final

from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, Tree
from cannery.python.distribution.status import installed_packages, owners_of, paragraph
from cannery.workspace.files import stamp
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from pathlib import Path

    from cannery.elf.package_notes import PackageNote
    from cannery.image.rootfs import Root
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["note_on_python", "package_database", "package_entries", "packages_of"]

FOLDER: Final = "/var/lib/dpkg/status.d"
_RELEASE: Final = "/usr/lib/os-release"  # by which scanners know whose versions these are (os-release(5))
_LINK: Final = "/etc/os-release"
_RELEASES: Final = ("/etc/debian_version", "/etc/lsb-release")  # by which trivy knows it: Debian's, and Ubuntu's
_PROGRAM: Final = re.compile(r"(?:lib|ld-)[^/]*\.so[.\d]*|python[\d.]+t?")  # of a path's last part


def package_database(interpreter: Interpreter, tree: Tree, workspace: Workspace) -> Tree:
    """The entries of the packages that ``tree`` has files of; empty where the Python lies among none."""
    found: defaultdict[str, list[str]] = defaultdict(list)
    top = interpreter.root.path
    places = {
        path: interpreter.inside(file.content.path)
        for path, file in tree.files()
        if isinstance(file.content, OnDisk) and file.content.path.is_relative_to(top)
    }
    if interpreter.packages is not None:
        known = _unpacked(interpreter.packages)
        owners = {path: name for name, fields in known.items() for path in fields["files"]}
        stanzas: Mapping[str, Mapping[str, str]] = {name: fields["stanza"] for name, fields in known.items()}
    else:
        owners, stanzas = packages_of(interpreter.root, places.values(), workspace)
    for path, place in places.items():
        if (owner := owners.get(place)) is not None:
            found[owner] += [path] if _PROGRAM.fullmatch(posixpath.basename(path)) else []
    return package_entries(interpreter.root, {name: (stanzas[name], paths) for name, paths in found.items()})


def package_entries(root: Root, packages: Mapping[str, tuple[Mapping[str, str], Iterable[str]]]) -> Tree:
    """The entries of ``packages`` of the distribution in ``root``: by name their fields, and files in the image."""
    if not packages:
        return Tree()
    entries = {
        f"{FOLDER}/{name}": File(Inline(paragraph(fields, files).encode()))
        for name, (fields, files) in sorted(packages.items())
    }
    told = {_LINK: root.content(_RELEASE), **{path: root.content(path) for path in _RELEASES}}
    return Tree({**entries, **{path: File(content) for path, content in told.items() if content}})


def packages_of(
    root: Root, paths: Iterable[str], workspace: Workspace
) -> tuple[dict[str, str], dict[str, dict[str, str]]]:
    """The names of the packages that ``paths`` in ``root`` are of, and the fields of these packages.

    Remembered until dpkg's data base changes; both are empty where the root has none.
    """
    status = root.path / "var/lib/dpkg/status"
    if not status.is_file():
        return {}, {}
    wanted = sorted(set(paths))
    key = key_of("system packages", code_key(__name__), str(root.path), stamp(status), wanted)
    known: Any = workspace.cache.recall("system-packages", key)
    if known is None:
        owners = owners_of(root.path, wanted)
        fields = installed_packages(root.path)
        named = {name: _told(fields[name]) for name in sorted(set(owners.values())) if name in fields}
        known = {"owners": {path: name for path, name in owners.items() if name in named}, "packages": named}
        workspace.cache.remember("system-packages", key, known)
    return known["owners"], known["packages"]


def note_on_python(interpreter: Interpreter, workspace: Workspace) -> PackageNote:
    """What an executable with ``interpreter`` inside tells scanners: this machine's package of it, or its version."""
    import platform  # noqa: PLC0415  # most recipes make no executable

    from cannery.elf.package_notes import PackageNote  # noqa: PLC0415

    path = str(interpreter.executable)
    owners, packages = packages_of(interpreter.root, [path], workspace)
    if path not in owners:
        return PackageNote("generic", "python", interpreter.version_text)
    fields, release = packages[owners[path]], platform.freedesktop_os_release()
    return PackageNote(
        "deb", fields["Package"], fields["Version"], release.get("ID", ""), release.get("VERSION_ID", "")
    )


def _told(fields: Mapping[str, str]) -> dict[str, str]:
    return {name: fields[name] for name in ("Package", "Version", "Architecture", "Source") if name in fields}


def _unpacked(packages: Path) -> dict[str, Any]:
    """The packages that a Python was unpacked from, by name, each with the paths of its files and its fields."""
    known: Mapping[str, Mapping[str, Any]] = json.loads(packages.read_bytes())
    return {
        name: {
            "files": [posixpath.normpath(path) for path in each["files"]],
            "stanza": {title: str(each[field]) for title, field in _FIELDS},
        }
        for name, each in known.items()
    }


_FIELDS: Final = (("Package", "name"), ("Version", "version"), ("Architecture", "architecture"), ("Source", "source"))

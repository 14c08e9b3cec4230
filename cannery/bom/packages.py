"""The packages of a system's distribution that an image has, and which of its files are theirs."""

from __future__ import annotations

import posixpath
import re
import shlex
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.bom.inventory import Item
from cannery.bom.purls import purl_of
from cannery.python.distribution.status import FILES_FIELD, merged_path, paragraphs

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.bom.layer_contents import ContainedFile

__all__ = ["SystemPackages", "packages_in"]

_STATUS: Final = re.compile(r"/var/lib/dpkg/status(?:\.d/(?!.*\.md5sums$)[^/]+)?")
_LIST: Final = re.compile(r"/var/lib/dpkg/(?:info|status\.d)/(?P<name>[^/:]+?)(?::\w+)?\.(?:list|md5sums)")
_APK: Final = "/lib/apk/db/installed"


@dataclass(frozen=True, slots=True)
class SystemPackages:
    """What is known of a system's packages."""

    system: str  # "debian 13"; empty where none is told
    items: tuple[Item, ...]
    owners: Mapping[str, str]  # path of a file, as in a merged /usr -> name of its package

    def owner(self, path: str) -> str | None:
        """The package that the file at ``path`` is of; None where it's of none."""
        return self.owners.get(merged_path(path))


def packages_in(files: Mapping[str, ContainedFile]) -> SystemPackages:
    """The packages that data bases among ``files`` name (dpkg(1), apk(8))."""
    release = _release(files)
    owners: dict[str, str] = {}
    items: list[Item] = []
    for path, file in files.items():
        if _STATUS.fullmatch(path):
            for stanza in paragraphs(file.text):
                items += _debian(stanza, release, path)
                owners |= {merged_path(name): stanza["Package"] for name in stanza.get(FILES_FIELD, "").split()}
        elif found := _LIST.fullmatch(path):
            owners |= dict.fromkeys(_listed(file.text), found["name"])
    if _APK in files:
        for stanza, own in _apk(files[_APK].text):
            items.append(_alpine(stanza, release))
            owners |= dict.fromkeys(own, stanza["P"])
    system = " ".join(filter(None, (release.get("ID", ""), release.get("VERSION_ID", ""))))
    return SystemPackages(system, tuple(items), owners)


def _release(files: Mapping[str, ContainedFile]) -> dict[str, str]:
    """The fields of os-release(5), which tells whose packages these are."""
    text = next((files[path].text for path in ("/etc/os-release", "/usr/lib/os-release") if path in files), "")
    pairs = (line.partition("=") for line in text.splitlines())
    return {name.strip(): _unquoted(value) for name, _, value in pairs if value and not name.startswith("#")}


def _unquoted(value: str) -> str:
    try:
        return " ".join(shlex.split(value))
    except ValueError:
        return value.strip()


def _debian(stanza: Mapping[str, str], release: Mapping[str, str], path: str) -> Iterable[Item]:
    """The package of a paragraph of dpkg's data base in the file at ``path``, if it's installed."""
    if "Status" in stanza and not stanza["Status"].endswith(" installed"):
        return
    source = stanza.get("Source", "").partition(" ")[0]
    qualifiers = {"arch": stanza.get("Architecture", ""), "distro": _distro(release), "upstream": source}
    name, version, vendor = stanza["Package"], stanza["Version"], release.get("ID", "debian")
    purl = purl_of("deb", name, version, namespace=vendor, qualifiers=qualifiers)
    yield Item(
        "package",
        name,
        version,
        purl,
        paths=tuple(sorted(stanza.get(FILES_FIELD, "").split())) or (path,),
        origin=_named(release) or "a package of Debian's kind",
    )


def _alpine(stanza: Mapping[str, str], release: Mapping[str, str]) -> Item:
    qualifiers = {"arch": stanza.get("A", ""), "distro": _distro(release), "upstream": stanza.get("o", "")}
    purl = purl_of("apk", stanza["P"], stanza["V"], namespace=release.get("ID", "alpine"), qualifiers=qualifiers)
    licence = stanza.get("L", "")
    return Item("package", stanza["P"], stanza["V"], purl, licence, paths=(_APK,), origin=_named(release))


def _distro(release: Mapping[str, str]) -> str:
    return "-".join(filter(None, (release.get("ID", ""), release.get("VERSION_ID", ""))))


def _named(release: Mapping[str, str]) -> str:
    return release.get("PRETTY_NAME", "") or release.get("ID", "")


def _apk(text: str) -> Iterator[tuple[dict[str, str], list[str]]]:
    """The packages in apk's data base, each with the paths of its files (wiki.alpinelinux.org, Apk spec)."""
    for paragraph in text.split("\n\n"):
        fields: dict[str, str] = {}
        own: list[str] = []
        folder = ""
        for line in paragraph.splitlines():
            key, _, value = line.partition(":")
            if key == "F":
                folder = value
            elif key == "R":
                own.append(merged_path(posixpath.join("/", folder, value)))
            else:
                fields.setdefault(key, value)
        if {"P", "V"} <= fields.keys():
            yield fields, own


def _listed(text: str) -> Iterator[str]:
    """The paths in a list of a package's files, or in one of their MD5 sums."""
    for line in text.splitlines():
        path = line if line.startswith("/") else "/" + line.partition("  ")[2]
        yield merged_path(path)

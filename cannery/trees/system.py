"""The files that a program expects of the system around it: users, name resolution, certificates, time zones, /tmp."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Directory, Entry, File, Tree
from cannery.workspace.files import stamp, user_path

if TYPE_CHECKING:
    from cannery.image.content import Content
    from cannery.image.rootfs import Root
    from cannery.project.settings import Settings

__all__ = ["CERTIFICATES", "certificates", "has_certificates", "system_tree", "without_remarks", "zones_tree"]

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

# Where distributions keep the bundle: Debian, Ubuntu, Alpine; Fedora, RHEL; SUSE; OpenSSL's own.
_BUNDLES = (
    CERTIFICATES,
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_CERTIFICATE = re.compile(rb"^-----BEGIN [A-Z ]+-----\n.*?^-----END [A-Z ]+-----\n", re.MULTILINE | re.DOTALL)
_ZONES = "/usr/share/zoneinfo"
# Second copies of the zones, with and without leap seconds, and tables that nothing in Python reads.
_NOT_ZONES = ("posix/", "right/", "posixrules", "localtime", "leapseconds", "leap-seconds.list", "tzdata.zi")


def certificates(settings: Settings, folder: Path, root: Root) -> OnDisk:
    """The CA certificates that go in: Mozilla's, as certifi has them; the configured bundle; or the root's own.

    A machine's own bundle may hold its company's, which has no business in an image unless somebody says so. Raises
    :class:`ConfigurationError` where the configured bundle isn't there.
    """
    if settings.ca_certificates == "system":
        return _of_system(root)
    if settings.ca_certificates is not None:
        path = folder / user_path(settings.ca_certificates)
        if not path.is_file():
            what = f"ca-certificates = {settings.ca_certificates!r}: there is no file {path}"
            raise ConfigurationError(what, step="name a bundle of certificates in PEM, or leave it out")
        return OnDisk(path, path.stat().st_size)
    import certifi  # noqa: PLC0415

    bundle = Path(certifi.where())
    return OnDisk(bundle, bundle.stat().st_size)


def without_remarks(bundle: Content) -> Inline:
    """The certificates of a bundle without the explanatory text around them (RFC 7468, section 2)."""
    with bundle.open() as stream:
        return Inline(b"".join(_CERTIFICATE.findall(stream.read())))


def has_certificates(root: Root) -> bool:
    """True where ``root`` has a bundle of CA certificates in a place where an OpenSSL looks."""
    return any(root.content(name) is not None for name in _BUNDLES)


def _of_system(root: Root) -> OnDisk:
    for name in _BUNDLES:
        if (content := root.content(name)) is not None:
            return content
    raise ConfigurationError(
        'ca-certificates = "system": this machine has none',
        evidence=f"looked for {', '.join(_BUNDLES)}",
        step="install the package ca-certificates, or leave the setting out to take Mozilla's",
    )


def system_tree(user: int, bundle: Content | None) -> Tree:
    """The small files below /etc, and the folders that programs write to; ``bundle`` is the CA certificates."""
    texts = {
        "/etc/passwd": "root:x:0:0:root:/root:/sbin/nologin\n"
        + (f"app:x:{user}:{user}:app:/tmp:/sbin/nologin\n" if user else ""),
        "/etc/group": "root:x:0:\n" + (f"app:x:{user}:\n" if user else ""),
        "/etc/nsswitch.conf": "passwd: files\ngroup: files\nhosts: files dns\nservices: files\nprotocols: files\n",
    }
    entries: dict[str, Entry] = {path: File(Inline(text.encode())) for path, text in texts.items()}
    if bundle is not None:
        entries[CERTIFICATES] = File(bundle)
    entries["/tmp"] = Directory(0o1777)  # noqa: S108  # the image's own, not the machine's
    return Tree(entries)


def locale_tree(root: Root) -> Tree:
    """The locale C.UTF-8, which the image's environment names: the C library doesn't have it built in."""
    for name in ("C.utf8", "C.UTF-8"):
        entries: dict[str, Entry] = {}
        for path in root.below(f"/usr/lib/locale/{name}"):
            if (content := root.content(path)) is not None:
                entries[path] = File(content)
        if entries:
            return Tree(entries)
    return Tree()


def zones_tree(root: Root) -> Tree:
    """The time zone database, as ``zoneinfo`` reads it (PEP 615); empty when the root has none."""
    entries: dict[str, Entry] = {}
    for path in root.below(_ZONES):
        relative = path.removeprefix(f"{_ZONES}/")
        content = root.content(path)
        if content is not None and not relative.startswith(_NOT_ZONES):
            entries[f"{_ZONES}/{relative}"] = File(content)
    return Tree(entries)


def stamps_of(tree: Tree) -> list[tuple[str, object]]:
    """The paths and stamps of the files that ``tree`` takes from this machine: others once one of them has changed."""
    return [(path, stamp(file.content.path)) for path, file in tree.files() if isinstance(file.content, OnDisk)]

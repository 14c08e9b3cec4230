"""The files that a program expects of the system around it: users, name resolution, certificates, time zones, /tmp."""

from __future__ import annotations

import re
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.errors import ConfigurationError
from cannery.image.content import Inline, OnDisk
from cannery.image.tree import Directory, Entry, File, LazyTree, Tree
from cannery.workspace.contents import contents_key
from cannery.workspace.files import explained, stamp, user_path
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from collections.abc import Container

    from cannery.image.content import Content
    from cannery.image.rootfs import Root
    from cannery.project.settings import Settings
    from cannery.workspace.cache import Cache

__all__ = [
    "CERTIFICATES",
    "certificates",
    "has_certificates",
    "local_zone_tree",
    "locale_tree",
    "system_tree",
    "terminals_tree",
    "without_remarks",
    "zones_tree",
]

CERTIFICATES = "/etc/ssl/certs/ca-certificates.crt"

# Where distributions keep the bundle: Debian, Ubuntu, Alpine; Fedora, RHEL; SUSE; OpenSSL's own.
_BUNDLES = (
    CERTIFICATES,
    "/etc/pki/ca-trust/extracted/pem/tls-ca-bundle.pem",
    "/etc/pki/tls/certs/ca-bundle.crt",
    "/etc/ssl/ca-bundle.pem",
    "/etc/ssl/cert.pem",
)
_SERVICES, _PROTOCOLS = package_file("trees/payload/services"), package_file("trees/payload/protocols")
# The terminals that people sit at, and those that a container is given by an engine
_TERMINALS = (
    "ansi", "dumb", "linux", "rxvt", "screen", "screen-256color", "tmux", "tmux-256color", "vt100", "vt220", "xterm",
    "xterm-256color",
)  # fmt: skip
_TERMINFO = ("/usr/share/terminfo", "/lib/terminfo", "/usr/lib/terminfo", "/etc/terminfo")
_CERTIFICATE = re.compile(
    rb"^-----BEGIN [A-Z ]+-----\r?\n.*?^-----END [A-Z ]+-----\r?(?:\n|\Z)", re.MULTILINE | re.DOTALL
)
_ZONES = "/usr/share/zoneinfo"
_LOCAL = "/etc/timezone"  # as Debian has it
# Second copies of the zones, with and without leap seconds, and tables that nothing in Python reads.
_NOT_ZONES = ("posix", "right", "posixrules", "localtime", "leapseconds", "leap-seconds.list", "tzdata.zi")


def certificates(settings: Settings, folder: Path, root: Root) -> OnDisk:
    """The CA certificates that go in: Mozilla's, as certifi has them; the configured bundle; or the root's own.

    A machine's own bundle may hold its company's, which has no business in an image unless somebody says so. Raises
    :class:`ConfigurationError` where the configured bundle isn't there, or is none.
    """
    if settings.ca_certificates == "system":
        return _of_system(root)
    if settings.ca_certificates is not None:
        path = folder / user_path(settings.ca_certificates)
        if not path.is_file():
            what = f"ca-certificates = {settings.ca_certificates!r}: there is no file {path}"
            raise ConfigurationError(what, step="name a bundle of certificates in PEM, or leave it out")
        configured = OnDisk(path, path.stat().st_size)
        _check_certificates(configured)
        return configured
    import certifi  # noqa: PLC0415

    bundle = Path(certifi.where())
    return OnDisk(bundle, bundle.stat().st_size)


def _check_certificates(bundle: OnDisk) -> None:
    """Raise :class:`ConfigurationError` where one of the certificates of ``bundle`` can't be read, or it has none."""
    import ssl  # noqa: PLC0415  # slow to import

    with explained(bundle.path, "read"):
        found = without_remarks(bundle).data
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT).load_verify_locations(cadata=found.decode("ascii"))
    except (ssl.SSLError, ValueError) as error:
        raise ConfigurationError(
            f"{bundle.path} is no bundle of certificates",
            evidence=str(error),
            step="name a file of certificates in PEM (BEGIN CERTIFICATE) in  [tool.cannery]  ca-certificates",
        ) from error


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
    for name, path in (("services", _SERVICES), ("protocols", _PROTOCOLS)):
        entries[f"/etc/{name}"] = File(Inline(path.read_bytes()))
    if bundle is not None:
        entries[CERTIFICATES] = File(bundle)
    entries["/tmp"] = Directory(0o1777)  # noqa: S108  # the image's own, not the machine's
    return Tree(entries)


def locale_tree(root: Root, cache: Cache) -> LazyTree:
    """The locale C.UTF-8, which the image's environment names: the C library doesn't have it built in."""
    folders = ("/usr/lib/locale/C.utf8", "/usr/lib/locale/C.UTF-8")
    return _files_of(root, cache, next((folder for folder in folders if root.resolve(folder)), folders[0]))


def terminals_tree(root: Root, cache: Cache) -> LazyTree:
    """The descriptions of terminals, without which curses doesn't start; empty where the root has none."""
    found: dict[str, OnDisk] = {}
    for name in _TERMINALS:
        contents = (root.content(f"{folder}/{name[0]}/{name}") for folder in _TERMINFO)
        if (content := next(filter(None, contents), None)) is not None:
            found[f"{_TERMINFO[0]}/{name[0]}/{name}"] = content
    stamped = ((path, content.path, stamp(content.path)) for path, content in found.items())
    key = key_of("terminals", code_key(__name__), contents_key(stamped, cache))
    return LazyTree(key, lambda: Tree({path: File(content) for path, content in found.items()}))


def zones_tree(root: Root, cache: Cache) -> LazyTree:
    """The time zone database, as ``zoneinfo`` reads it (PEP 615); empty when the root has none."""
    return _files_of(root, cache, _ZONES, _NOT_ZONES)


def local_zone_tree() -> LazyTree:
    """The name of the local time zone, where programs that ask for it look first: without one they warn."""
    return LazyTree(key_of("local zone", code_key(__name__)), lambda: Tree({_LOCAL: File(Inline(b"Etc/UTC\n"))}))


def _files_of(root: Root, cache: Cache, folder: str, left_out: Container[str] = ()) -> LazyTree:
    """The files below ``folder``, known by their contents, so that the tree is only made to be packed."""
    top = root.on_disk(root.resolve(folder) or folder)
    stamped = ((name, top / name, stamp) for name, stamp in root.stamps_below(folder, left_out))
    key = key_of("files", code_key(__name__), folder, contents_key(stamped, cache))
    files = partial(root.files_below, folder, left_out)
    return LazyTree(key, lambda: Tree({f"{folder}/{path}": File(content) for path, content in files()}))

"""The ground that an app stands on: a base that was looked through, and the transforms that fit trees to it."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Final

from cannery.elf.closure import MissingLibraryError, closure_of
from cannery.elf.need import Need
from cannery.errors import RuntimeTreeError
from cannery.image.accounts import account, accounts_in
from cannery.image.content import Inline
from cannery.image.paths import read_text
from cannery.image.rootfs import MACHINE
from cannery.image.tree import Entry, File, LazyTree, Transform, Tree
from cannery.project.interpreter import check_version
from cannery.project.settings import NOBODY
from cannery.trees.base.image import BaseImage, base_image
from cannery.trees.base.landing import landed
from cannery.trees.base.python import BasePython, find_python, target_of
from cannery.trees.base.replaced import without_replaced
from cannery.trees.system import CERTIFICATES, certificates, has_certificates
from cannery.workspace.digest import Digest
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.image.content import OnDisk
    from cannery.image.image import Base
    from cannery.project.app import App
    from cannery.python.interpreter import WheelTarget
    from cannery.trees.needs import Needs
    from cannery.workspace.workspace import Workspace

__all__ = ["Ground", "ground_of"]

# The files of a base that has none.
_ROOT: Final = {"passwd": "root:x:0:0:root:/root:/sbin/nologin\n", "group": "root:x:0:\n"}


@dataclass(frozen=True)
class Ground:
    """A base, its Python, the user that the program runs as, and the certificates that it lacks."""

    image: BaseImage
    python: BasePython
    target: WheelTarget  # of wheels for that Python
    uid: int
    gid: int
    bundle: OnDisk | None  # CA certificates to bring along; None where the base has its own

    @property
    def base(self) -> Base:
        """The base itself."""
        return self.image.base

    @property
    def user(self) -> str:
        """The user as ``uid:gid``: Kubernetes tells only by a number that a program doesn't run as root."""
        return f"{self.uid}:{self.gid}"

    @property
    def landing(self) -> Transform:
        """The transform that leads a tree's paths through the base's links (see ``landing.py``)."""
        key = key_of("landed", code_key(__name__), self.base.manifest.hex)
        return Transform(key, lambda tree: landed(tree, self.image.root, self.image.folders))

    @property
    def replacing(self) -> Transform:
        """The transform that hides the base's copy of each distribution that a tree brings (see ``replaced.py``)."""
        site_packages = self.python.site_packages
        key = key_of("replaced", code_key(__name__), self.base.manifest.hex, site_packages)
        return Transform(key, lambda tree: without_replaced(tree, self.image.root, site_packages))

    @property
    def system(self) -> LazyTree:
        """The small files that the base lacks: an entry for the user, and CA certificates."""
        bundle = Digest.of_content(self.bundle) if self.bundle else None
        key = key_of("system", code_key(__name__), self.base.manifest.hex, self.uid, self.gid, bundle)
        return LazyTree(key, self._system)

    def check(self, needs: Needs, app: App, workspace: Workspace) -> None:
        """Raise :class:`RuntimeTreeError` for a shared library that neither the base nor a tree with ``needs`` has."""
        allowed = app.settings.allow_missing
        named = (Need(soname, "[tool.cannery] libraries", ()) for soname in app.settings.libraries)
        wanted = (*needs.libraries, *named)
        key = key_of(
            "base libraries", code_key(__name__), self.base.manifest.hex, [asdict(need) for need in wanted], allowed
        )
        if workspace.cache.recall("closures", key) is not None:
            return
        try:
            closure_of(self.python.path, wanted, self.image.root, allow_missing=allowed)
        except MissingLibraryError as error:
            name = error.need.soname
            raise RuntimeTreeError(
                f"the base {self.base.name} lacks the shared library {name}",
                evidence=error.evidence,
                step="take a base that has it; or, when it's never used, set  "
                f"[tool.cannery]  allow-missing = [{name!r}]",
            ) from error
        workspace.cache.remember("closures", key, {})

    def _system(self) -> Tree:
        entries: dict[str, Entry] = {}
        lines = {"passwd": f"app:x:{self.uid}:{self.gid}:app:/tmp:/sbin/nologin\n", "group": f"app:x:{self.gid}:\n"}
        for name, line in lines.items():
            text = read_text(self.image.root.path, f"/etc/{name}") or _ROOT[name]
            number = self.uid if name == "passwd" else self.gid
            if not any(fields[2:3] == [str(number)] for fields in (each.split(":") for each in text.splitlines())):
                whole = text if text.endswith("\n") else f"{text}\n"
                entries[f"/etc/{name}"] = File(Inline((whole + line).encode("utf-8", "surrogateescape")))
        if self.bundle:
            entries[CERTIFICATES] = File(self.bundle)
        return Tree(entries)


def ground_of(app: App, workspace: Workspace) -> Ground:
    """The ground of ``app``: its base, fetched and looked through.

    Raises :class:`RuntimeTreeError` where the base has no Python, :class:`ConfigurationError` where its Python is
    another one than the app asks for.
    """
    image = base_image(app, workspace)
    python = _python(image, workspace)
    check_version(app, python.version_text, f"the base {image.base.name}", "take a base with another Python")
    uid, gid = _user(app, image)
    configured = app.settings.ca_certificates is not None
    needed = configured or not has_certificates(image.root)
    bundle = certificates(app.settings, app.folder, MACHINE) if needed else None
    return Ground(image, python, target_of(python, image.base.platform, image.base.name), uid, gid, bundle)


def _python(image: BaseImage, workspace: Workspace) -> BasePython:
    """The base's Python, looked for once and remembered."""
    key = key_of("base python", code_key(__name__), image.base.manifest.hex)
    known = workspace.cache.recall("base-pythons", key)
    if known is None:
        workspace.progress("looking for the base's Python")
        settings = image.base.config.get("config") or {}
        path = next((each[5:] for each in settings.get("Env") or () if each.startswith("PATH=")), "")
        known = asdict(find_python(image.root, filter(None, path.split(":")), image.base.name))
        workspace.cache.remember("base-pythons", key, known)
    version, libc_version = tuple(known["version"]), tuple(known["libc_version"])
    return BasePython(**{**known, "version": version, "libc_version": libc_version})


def _user(app: App, image: BaseImage) -> tuple[int, int]:
    """The user and group of the program: the setting's, or the base's own unless that's root, or nobody's."""
    if app.settings.user is not None:
        return app.settings.user, app.settings.user
    named = (image.base.config.get("config") or {}).get("User") or ""
    found = account(named, accounts_in(image.root.path))
    return (found.uid, found.gid) if found.uid else (NOBODY, NOBODY)

"""The closure of shared libraries: those that ELF files need of a root filesystem, directly or not, and their places.

Follows the search of the dynamic loader (ld.so(8)): DT_RPATH, DT_RUNPATH, the configured folders, the trusted ones.
What a tree brings itself is not looked for elsewhere.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Final

from cannery.elf.dynamic import Elf, read_elf
from cannery.elf.need import Need
from cannery.errors import RuntimeTreeError
from cannery.image.rootfs import MACHINE
from cannery.image.tree import File, Symlink, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from cannery.image.content import Content, OnDisk
    from cannery.image.rootfs import Root

__all__ = [
    "MUSL_ITSELF",
    "OPENED_BY_GLIBC",
    "OPENED_BY_OLD_GLIBC",
    "Closure",
    "MissingLibraryError",
    "closure_of",
    "needs_of",
    "needs_of_file",
    "opened_by_name",
    "searched",
]

OPENED_BY_GLIBC: Final = ("libgcc_s.so.1",)  # by name at run time, to end threads
OPENED_BY_OLD_GLIBC: Final = ("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")  # to look up hosts and users
_LOOKS_UP_ITSELF = b"_nss_dns_gethostbyname"  # a function that a C library has since glibc 2.34

_FOLDER = re.compile(rb"(?<=\0)(/(?:usr/)?lib[\w/-]*)/(?=\0)")  # as a loader has them built in
MUSL_ITSELF: Final = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")  # what musl's loader answers to (dynlink.c)
_TRUSTED = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


@dataclass(frozen=True, slots=True)
class Closure:
    """The shared libraries that an image needs, and the loader."""

    libraries: dict[str, OnDisk]  # image path -> file
    missing: tuple[str, ...]  # the names of those that may be missing, and are
    loader: str | None  # the ELF interpreter's image path; None when nothing is linked dynamically


class MissingLibraryError(RuntimeTreeError):
    """A shared library that a file needs is in none of the folders that its loader looks in."""

    def __init__(self, need: Need, folders: Iterable[str], unfit: Iterable[str]) -> None:
        """``folders`` were looked in; lines of ``unfit`` tell of files of that name which the program can't load."""
        evidence = [f"{need.by} needs it", f"looked in {', '.join(folders)}"]
        super().__init__(
            f"the shared library {need.soname} can't be found",
            evidence="\n".join([*evidence, *unfit]),
            step=f"install the system's package that has it; or, when {posixpath.basename(need.by)} is never used, let "
            "it be missing (allow_missing)",
        )
        self.need = need


def needs_of(tree: Tree) -> tuple[Need, ...]:
    """The libraries that ELF files of ``tree`` need and the tree lacks, sorted by name and by user.

    A library that lies anywhere in the tree counts as found, even off its user's DT_RPATH: wheels that share libraries
    load one before another file needs it.
    """
    have = {posixpath.basename(path) for path, entry in tree if isinstance(entry, File | Symlink)}
    needs = {
        need for path, file in tree.files() for need in needs_of_file(file.content, path) if need.soname not in have
    }
    return tuple(sorted(needs, key=lambda need: (need.soname, need.by)))


def needs_of_file(content: Content, by: str, origin: str | None = None) -> Iterator[Need]:
    """The libraries that one ELF file needs; none for any other file.

    ``by`` is the path to tell of in errors; ``origin`` the file's folder in the root filesystem, if it lies there: that
    is what $ORIGIN means.
    """
    elf = read_elf(content)
    return _needs(elf, by, origin) if elf else iter(())


def closure_of(
    program: str, needs: Iterable[Need] = (), root: Root = MACHINE, *, allow_missing: tuple[str, ...] = ()
) -> Closure:
    """The shared libraries that ``program`` and the ``needs`` of others lead to in ``root``, by image path.

    In an image they lie in one folder, the C library's, which every loader looks in. ``program`` is an absolute path.
    Raises :class:`MissingLibraryError` for a library that can't be found and isn't one of ``allow_missing``, and
    :class:`RuntimeTreeError` where ``program`` is no program.
    """
    content = root.content(program)
    elf = read_elf(content) if content else None
    if elf is None:
        raise RuntimeTreeError(f"{program} is no program of this system (ELF)")
    search = _Search(root, elf, tuple(_configured(root, elf)), allow_missing)
    search.follow([*_needs(elf, program, posixpath.dirname(program)), *needs])
    search.follow_opened(program)
    folder = _home(search.found, elf)
    loader = posixpath.basename(elf.interpreter) if elf.interpreter else ""
    libraries = {f"{folder}/{name}": library for name, (_, library) in sorted(search.found.items()) if name != loader}
    if elf.interpreter and (program_loader := root.content(elf.interpreter)):
        libraries[elf.interpreter] = program_loader
    return Closure(libraries, tuple(sorted(search.missing)), elf.interpreter)


def opened_by_name(names: Iterable[str], program: str, root: Root = MACHINE) -> Iterator[str]:
    """The sonames of those libraries that ``program`` would get which opens them by ``names``; none for absent ones.

    A name is that of a file, ``libz.so.1``, or what ``ctypes.util.find_library`` is given: ``z``.
    """
    content = root.content(program)
    elf = read_elf(content) if content else None
    if elf is None:
        return
    search = _Search(root, elf, tuple(_configured(root, elf)), ())
    listed = {entry for folder in search.configured for entry in _listed(root, folder)}
    for name in sorted(names):
        files = [name] if ".so" in name else sorted(each for each in listed if each.startswith(f"lib{name}.so"))
        found = (search.look_up(Need(file, program), []) for file in files if file in listed)
        if (first := next(filter(None, found), None)) is not None:
            _, library, elf = first
            yield files[0] if ".so" in name else elf.soname or posixpath.basename(str(library.path))


def searched(program: str, root: Root = MACHINE) -> Iterator[Path]:
    """What decides about :func:`opened_by_name`, as paths on this machine: files of settings, and folders.

    While none of them has changed, no library is found in another place. Some may be absent.
    """
    content = root.content(program)
    elf = read_elf(content) if content else None
    if elf is None:
        return
    for told in _ld_so_conf(root, "/etc/ld.so.conf"):
        yield told.path
    yield from (root.on_disk(root.resolve(folder) or folder) for folder in _configured(root, elf))


def _listed(root: Root, folder: str) -> list[str]:
    real = root.resolve(folder)
    path = root.on_disk(real) if real else None
    return os.listdir(path) if path and path.is_dir() else []


@dataclass(frozen=True)
class _Search:
    """Libraries that were found so far, and those that are missing and may be."""

    root: Root
    program: Elf
    configured: tuple[str, ...]  # folders
    allow_missing: tuple[str, ...]
    found: dict[str, tuple[str, OnDisk]] = field(default_factory=dict)  # by name: the real path, the file
    missing: set[str] = field(default_factory=set)

    def follow(self, pending: list[Need], optional: tuple[str, ...] = ()) -> None:
        """Find the libraries that are ``pending``, and what they need in turn; those ``optional`` may be absent."""
        is_musl = "musl" in posixpath.basename(self.program.interpreter or "")
        while pending:
            need = pending.pop()
            if need.soname in self.found or (is_musl and MUSL_ITSELF.match(need.soname)):
                continue
            unfit: list[str] = []
            where = self.look_up(need, unfit)
            if where is not None:
                real, library, elf = where
                self.found[need.soname] = (real, library)
                pending += _needs(elf, real, posixpath.dirname(real))
            elif need.soname in self.allow_missing:
                self.missing.add(need.soname)
            elif need.soname not in optional:
                raise MissingLibraryError(need, (*need.search, *self.configured), unfit)

    def follow_opened(self, program: str) -> None:
        """Find what the C library opens by name, where the system has it."""
        opened = OPENED_BY_GLIBC if self._looks_up_itself() else (*OPENED_BY_GLIBC, *OPENED_BY_OLD_GLIBC)
        self.follow([Need(name, program) for name in opened], opened)

    def look_up(self, need: Need, unfit: list[str]) -> tuple[str, OnDisk, Elf] | None:
        """The first library of that name and of the program's architecture; what is passed over goes to ``unfit``."""
        for folder in (*need.search, *self.configured):
            real = self.root.resolve(f"{folder}/{need.soname}")
            content = self.root.content(real) if real else None
            if real is None or content is None:
                continue
            elf = read_elf(content)
            if elf and (elf.machine, elf.is_64) == (self.program.machine, self.program.is_64):
                return real, content, elf
            unfit.append(f"{real} is {f'for {elf.machine}' if elf else 'no shared library (ELF)'}")
        return None

    def _looks_up_itself(self) -> bool:
        """True where the C library needs no others to look up hosts and users."""
        return any(
            _LOOKS_UP_ITSELF in library.path.read_bytes()
            for soname, (_, library) in self.found.items()
            if soname.startswith("libc.so.")
        )


def _needs(elf: Elf, by: str, origin: str | None) -> Iterator[Need]:
    """The needs of a file that was read; its DT_RUNPATH, if it has one, replaces its DT_RPATH (ld.so(8))."""
    search = tuple(
        posixpath.normpath(each.replace("${ORIGIN}", origin or "").replace("$ORIGIN", origin or ""))
        for each in elf.runpath or elf.rpath
        if each and (origin is not None or "ORIGIN" not in each)
    )
    return (Need(soname, by, search) for soname in elf.needed)


def _configured(root: Root, program: Elf) -> Iterator[str]:
    """The folders of ld.so.conf, or of musl's own file, and those that are always looked in, each once."""
    if "musl" in posixpath.basename(program.interpreter or ""):
        name = posixpath.basename(program.interpreter or "").partition(".so")[0]
        listed = root.content(f"/etc/{name}.path")
        folders = (
            listed.path.read_text().replace("\n", ":").split(":") if listed else ["/lib", "/usr/local/lib", "/usr/lib"]
        )
    else:
        told = (folder for each in _ld_so_conf(root, "/etc/ld.so.conf") for folder in each.folders)
        folders = [*told, *_built_in(root, program), *_TRUSTED]
    yield from dict.fromkeys(folder.strip() for folder in folders if folder.strip())


def _built_in(root: Root, program: Elf) -> Iterator[str]:
    """The folders that the loader looks in whatever is configured: Debian's has those of the architecture."""
    loader = root.content(program.interpreter) if program.interpreter else None
    if loader is not None:
        yield from (os.fsdecode(match) for match in _FOLDER.findall(loader.path.read_bytes()))


@dataclass(frozen=True, slots=True)
class _LoaderSettings:
    """Folders that a file of settings names; or none, and a folder whose files are settings."""

    path: Path  # of the file or the folder, on this machine
    folders: tuple[str, ...] = ()


def _ld_so_conf(root: Root, name: str, within: tuple[str, ...] = ()) -> Iterator[_LoaderSettings]:
    """What a file tells, and the files that it includes, unless it lies ``within`` itself."""
    content = root.content(name) if name not in within else None
    yield _LoaderSettings(content.path if content else root.on_disk(name))
    if content is None:
        return
    for line in content.path.read_text(errors="replace").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["include"]:
            for pattern in words[1:]:
                absolute = posixpath.join(posixpath.dirname(name), pattern)
                yield _LoaderSettings(root.on_disk(posixpath.dirname(absolute)))
                for path in sorted(glob.glob(str(root.on_disk(absolute)))):
                    yield from _ld_so_conf(root, f"/{Path(path).relative_to(root.path)}", (*within, name))
        else:
            yield _LoaderSettings(content.path, tuple(words))


def _home(found: dict[str, tuple[str, OnDisk]], program: Elf) -> str:
    """The folder of the C library: the one that the loader is sure to look in."""
    for soname, (real, _) in found.items():
        if soname.startswith(("libc.so", "libc.musl")):
            return posixpath.dirname(real)
    return posixpath.dirname(program.interpreter or "/lib/")

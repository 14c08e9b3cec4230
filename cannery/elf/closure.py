"""The closure of shared libraries: what ELF files need of the root filesystem, and where that lies.

Follows the search of the dynamic loader (ld.so(8)): DT_RPATH, DT_RUNPATH, the configured folders, the trusted ones.
What a tree brings itself is not looked for elsewhere.
"""

from __future__ import annotations

import glob
import os
import posixpath
import re
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from cannery.elf.dynamic import Elf, read_elf
from cannery.errors import RuntimeTreeError
from cannery.image.tree import File, Symlink, Tree

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping

    from cannery.image.content import Content, OnDisk
    from cannery.image.rootfs import Root

__all__ = ["Closure", "Need", "closure", "needs_of", "needs_of_file"]

# Opened by name at run time: by the C library, to end threads, and to look up hosts and users, where it can't itself.
_OPENED = ("libgcc_s.so.1",)
_OPENED_BEFORE_2_34 = ("libnss_dns.so.2", "libnss_files.so.2", "libresolv.so.2")
_LOOKS_UP_ITSELF = b"_nss_dns_gethostbyname"  # a function that a C library has since glibc 2.34

_FOLDER = re.compile(rb"(?<=\0)(/(?:usr/)?lib[\w/-]*)/(?=\0)")  # as a loader has them built in
_MUSL_ITSELF = re.compile(r"lib(?:c|pthread|rt|m|dl|util|xnet)\.")  # names that musl's loader answers to (dynlink.c)
_TRUSTED = ("/lib", "/usr/lib", "/lib64", "/usr/lib64", "/usr/local/lib")


@dataclass(frozen=True, slots=True)
class Need:
    """A shared library that an ELF file asks for by name."""

    soname: str
    by: str  # the path of who needs it
    search: tuple[str, ...]  # folders that it says to look in first


@dataclass(frozen=True, slots=True)
class Closure:
    """The shared libraries that an image needs, and the loader."""

    libraries: dict[str, OnDisk]  # image path -> file
    missing: tuple[str, ...]  # those that may be missing, and are
    loader: str | None  # the ELF interpreter's image path; None when nothing is linked dynamically


def needs_of(tree: Tree) -> tuple[Need, ...]:
    """What the ELF files of ``tree`` need beyond what the tree has itself, in order.

    A library that lies anywhere in the tree counts as found: what isn't on its user's DT_RPATH is loaded by the
    package before it's needed, as wheels do that share libraries.
    """
    have = {posixpath.basename(path) for path, entry in tree if isinstance(entry, File | Symlink)}
    needs = {
        need for path, file in tree.files() for need in needs_of_file(file.content, path) if need.soname not in have
    }
    return tuple(sorted(needs, key=lambda need: (need.soname, need.by)))


def needs_of_file(content: Content, by: str, origin: str | None = None) -> Iterator[Need]:
    """What one ELF file needs; ``origin`` is its folder in the root filesystem, if it lies there."""
    elf = read_elf(content)
    return _needs(elf, by, origin) if elf else iter(())


def closure(program: str, needs: Iterable[Need], root: Root, *, allow_missing: tuple[str, ...] = ()) -> Closure:
    """Find what ``program`` and the ``needs`` of others lead to in ``root``.

    The libraries are to lie in one folder of the image, that of the C library, which every loader looks in. Raises
    :class:`RuntimeTreeError` naming a library that can't be found and who needs it.
    """
    content = root.content(program)
    elf = read_elf(content) if content else None
    if elf is None:
        raise RuntimeTreeError(f"{program} is no program of this system (ELF)")
    configured = tuple(_configured(root, elf))
    is_musl = "musl" in posixpath.basename(elf.interpreter or "")
    found: dict[str, tuple[str, OnDisk]] = {}
    missing: set[str] = set()

    def follow(pending: list[Need], optional: tuple[str, ...] = ()) -> None:
        while pending:
            need = pending.pop()
            if need.soname in found or (is_musl and _MUSL_ITSELF.match(need.soname)):
                continue
            where = _look_up(need, root, configured, elf)
            if where is not None:
                real, library, its_elf = where
                found[need.soname] = (real, library)
                pending += _needs(its_elf, real, posixpath.dirname(real))
            elif need.soname in allow_missing:
                missing.add(need.soname)
            elif need.soname not in optional:
                raise _missing(need, configured)

    follow([*_needs(elf, program, posixpath.dirname(program)), *needs])
    opened = (*_OPENED, *(() if _looks_up_itself(found) else _OPENED_BEFORE_2_34))
    follow([Need(name, program, ()) for name in opened], opened)
    folder = _home(found, elf)
    loader = posixpath.basename(elf.interpreter) if elf.interpreter else ""
    libraries = {f"{folder}/{soname}": library for soname, (_, library) in sorted(found.items()) if soname != loader}
    if elf.interpreter and (program_loader := root.content(elf.interpreter)):
        libraries[elf.interpreter] = program_loader
    return Closure(libraries, tuple(sorted(missing)), elf.interpreter)


def _looks_up_itself(found: Mapping[str, tuple[str, OnDisk]]) -> bool:
    """Whether the C library needs no others to look up hosts and users."""
    return any(
        _LOOKS_UP_ITSELF in library.path.read_bytes()
        for soname, (_, library) in found.items()
        if soname.startswith("libc.so.")
    )


def _needs(elf: Elf, by: str, origin: str | None) -> Iterator[Need]:
    """DT_RUNPATH, where there is one, replaces DT_RPATH (ld.so(8))."""
    search = tuple(
        posixpath.normpath(each.replace("${ORIGIN}", origin or "").replace("$ORIGIN", origin or ""))
        for each in elf.runpath or elf.rpath
        if each and (origin is not None or "ORIGIN" not in each)
    )
    return (Need(soname, by, search) for soname in elf.needed)


def _look_up(need: Need, root: Root, configured: tuple[str, ...], program: Elf) -> tuple[str, OnDisk, Elf] | None:
    """The first library of that name and of the program's architecture."""
    for folder in (*need.search, *configured):
        real = root.resolve(f"{folder}/{need.soname}")
        content = root.content(real) if real else None
        elf = read_elf(content) if content else None
        if real and content and elf and (elf.machine, elf.is_64) == (program.machine, program.is_64):
            return real, content, elf
    return None


def _configured(root: Root, program: Elf) -> Iterator[str]:
    """Folders of ld.so.conf, or of musl's own file, and the trusted ones, each once."""
    if "musl" in posixpath.basename(program.interpreter or ""):
        name = posixpath.basename(program.interpreter or "").partition(".so")[0]
        listed = root.content(f"/etc/{name}.path")
        folders = (
            listed.path.read_text().replace("\n", ":").split(":") if listed else ["/lib", "/usr/local/lib", "/usr/lib"]
        )
    else:
        folders = [*_ld_so_conf(root, "/etc/ld.so.conf"), *_built_in(root, program), *_TRUSTED]
    yield from dict.fromkeys(folder.strip() for folder in folders if folder.strip())


def _built_in(root: Root, program: Elf) -> Iterator[str]:
    """The folders that the loader looks in whatever is configured: Debian's has those of the architecture."""
    loader = root.content(program.interpreter) if program.interpreter else None
    if loader is not None:
        yield from (os.fsdecode(match) for match in _FOLDER.findall(loader.path.read_bytes()))


def _ld_so_conf(root: Root, name: str) -> Iterator[str]:
    content = root.content(name)
    if content is None:
        return
    for line in content.path.read_text(errors="replace").splitlines():
        words = line.partition("#")[0].split()
        if words[:1] == ["include"]:
            for pattern in words[1:]:
                absolute = posixpath.join(posixpath.dirname(name), pattern)
                for path in sorted(glob.glob(str(root.on_disk(absolute)))):
                    yield from _ld_so_conf(root, f"/{Path(path).relative_to(root.path)}")
        else:
            yield from words


def _home(found: dict[str, tuple[str, OnDisk]], program: Elf) -> str:
    """The folder of the C library: the one that the loader is sure to look in."""
    for soname, (real, _) in found.items():
        if soname.startswith(("libc.so", "libc.musl")):
            return posixpath.dirname(real)
    return posixpath.dirname(program.interpreter or "/lib/")


def _missing(need: Need, configured: tuple[str, ...]) -> RuntimeTreeError:
    return RuntimeTreeError(
        f"the shared library {need.soname} can't be found",
        evidence=f"{need.by} needs it\nlooked in {', '.join((*need.search, *configured))}",
        step=f"install the system's package that has it; or, when {posixpath.basename(need.by)} is never used, set  "
        f"[tool.cannery]  allow-missing = [{need.soname!r}]",
    )

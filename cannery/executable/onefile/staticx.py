"""One static executable of a bundle, by staticx: it unpacks itself below /tmp, C library and all, and starts there.

staticx is given PyInstaller's folder: PyInstaller's file would unpack itself a second time, and run a second process.
It is a program of its own (GPL-2 with an exception for what it makes) and is run as one.
"""

from __future__ import annotations

import lzma
import posixpath
import sys
import tarfile
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any, BinaryIO, Final, cast

from cannery.elf.package_notes import NOTE_SECTION
from cannery.errors import ToolError
from cannery.executable.onefile.bundle import INTERNAL
from cannery.executable.onefile.xz import XzBlock, write_xz
from cannery.image.content import TIME, OnDisk, digest_of, time_of
from cannery.image.folder import write_tree
from cannery.image.tree import File, Symlink, Tree
from cannery.workspace.digest import Digest
from cannery.workspace.files import stamp
from cannery.workspace.invocation import program_name
from cannery.workspace.keys import code_key, key_of
from cannery.workspace.process import ProgramFailed

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from cannery.elf.package_notes import PackageNote
    from cannery.executable.onefile.tools import Tools
    from cannery.image.platform import Platform
    from cannery.image.tree import Entry, LazyTree
    from cannery.workspace.workspace import Workspace

__all__ = ["SECTION", "static"]

SECTION: Final = ".staticx.archive"
# A dictionary of 8 MiB is the largest that staticx's bootloader unpacks with. nice_len and depth are lower than the
# preset's (xz(1), --lzma2), which takes two thirds of the time and 0.2 % more bytes.
_LZMA2: Final[Mapping[str, Any]] = {
    "id": lzma.FILTER_LZMA2,
    "preset": 6,
    "dict_size": 8 << 20,
    "nice_len": 48,
    "depth": 24,
}
_FOR_BYTECODE: Final = {"lc": 4, "pb": 0}  # a byte is guessed from the one before it, and not from its offset
# xz's BCJ filters, which machine code compresses better with; staticx's bootloader has the one of its architecture.
_FILTERS: Final = {"amd64": lzma.FILTER_X86, "386": lzma.FILTER_X86, "ppc64le": lzma.FILTER_POWERPC}


@dataclass(frozen=True, slots=True)
class _StaticxJob:
    """The parts of an executable, and what makes it."""

    name: str
    bundle: LazyTree
    libraries: Tree
    note: PackageNote
    packing: str
    platform: Platform
    tools: Tools
    workspace: Workspace

    @property
    def key(self) -> str:
        shared = [
            (path, stamp(file.content.path))
            for path, file in self.libraries.files()
            if isinstance(file.content, OnDisk)
        ]
        made_of = (self.name, self.bundle.key, shared, self.note.section.hex(), self.packing, str(self.platform))
        return key_of("static", code_key(__name__), made_of, self.tools.key)


def static(
    bundle: LazyTree,
    libraries: Tree,
    note: PackageNote,
    name: str,
    packing: str,
    platform: Platform,
    tools: Tools,
    workspace: Workspace,
) -> OnDisk:
    """The executable that holds ``bundle`` and ``libraries``, the shared libraries that a bundle takes from a system.

    The same bundle gives the same bytes. ``note`` tells scanners which Python is in it, ``packing`` is ``xz`` or
    ``none``. Raises :class:`ToolError` where staticx fails.
    """
    job = _StaticxJob(name, bundle, libraries, note, packing, platform, tools, workspace)
    key = job.key

    def recall() -> OnDisk | None:
        known = workspace.cache.recall("programs", key)
        path = workspace.cache.root / "programs" / key / "program"
        whole = known is not None and path.is_file() and path.stat().st_size == known["size"]
        return OnDisk(path, known["size"], Digest(known["digest"])) if known and whole else None

    def fill(folder: Path) -> None:
        program = folder / "program"
        with workspace.cache.scratch() as scratch:
            _make(job, program, scratch)
        size = program.stat().st_size
        digest = Digest.of_content(OnDisk(program, size))
        workspace.cache.remember("programs", key, {"size": size, "digest": digest.hex})

    waiting = partial(workspace.progress, "waiting for another build")
    workspace.cache.folder("programs", key, fill, whole=lambda _: recall() is not None, waiting=waiting)
    made = recall()
    if made is None:
        raise ToolError("the executable was removed from the cache while it was made", step="build again")
    return made


def _make(job: _StaticxJob, program: Path, scratch: Path) -> None:
    """Let staticx make an executable, and replace the archive in it by one that is the same each time, and packed."""
    job.workspace.progress("freezing: staticx")
    executable, raw = scratch / job.name, scratch / "static"
    write_tree(job.bundle.tree.filter(lambda path, _: path == f"/{job.name}"), scratch, link=True)
    env = {"PATH": job.tools.path, "TMPDIR": str(scratch), "PYTHONSAFEPATH": "1"}
    command = [sys.executable, "-m", "staticx", "--no-compress", str(executable), str(raw)]
    try:
        job.workspace.run(command, cwd=scratch, env=env)
    except ProgramFailed as error:
        raise _explained(error) from error
    theirs, ours = scratch / "theirs.tar", scratch / "ours.tar"
    run = job.workspace.run
    run([job.tools.objcopy, f"--dump-section={SECTION}={theirs}", str(raw), str(scratch / "copy")])
    with tarfile.open(theirs) as archive:
        code = _write_archive(job, archive, ours)
    if job.packing != "none":
        ours = _packed(job, ours, code)
    note = scratch / "note"
    note.write_bytes(job.note.section)
    added = (f"--update-section={SECTION}={ours}", f"--add-section={NOTE_SECTION}={note}")
    run([job.tools.objcopy, "--strip-all", *added, str(raw), str(program)])
    program.chmod(0o755)


def _explained(error: ProgramFailed) -> ToolError:
    complaint = (error.stderr or error.stdout).strip()
    return ToolError(
        "staticx can't make a static executable of the bundle",
        evidence=complaint.rpartition("Traceback")[2][-2000:],
        step=f"take the folder instead ({program_name()} freeze --form folder), or the recipe scratch",
    )


def _write_archive(job: _StaticxJob, theirs: tarfile.TarFile, path: Path) -> int:
    """Write the members to ``path``, bytecode before machine code; returns the offset where machine code begins."""
    members = dict(_members(job, theirs))
    code = 0
    with tarfile.open(path, mode="w", format=tarfile.GNU_FORMAT) as archive:  # staticx's bootloader reads no other
        for name in sorted(members, key=_order):
            member, content = members[name]
            if content is None:
                archive.addfile(member)
            else:
                with content() as source:
                    archive.addfile(member, source)
            code = code if _is_code(name) else archive.offset
    return code


def _order(name: str) -> tuple[bool, str]:
    """The key that sorts bytecode beside bytecode, and machine code beside machine code: xz packs neighbours best."""
    return _is_code(name), name


def _is_code(name: str) -> bool:
    return ".so" in name


def _packed(job: _StaticxJob, archive: Path, code: int) -> Path:
    """The archive as an xz file of two blocks with filters of their own; machine code begins at the offset ``code``."""
    path, size = archive.with_suffix(".xz"), archive.stat().st_size
    alike = _FILTERS.get(job.platform.architecture)
    blocks = (
        XzBlock(0, code, [{**_LZMA2, **_FOR_BYTECODE}]),
        XzBlock(code, size - code, [*([{"id": alike}] if alike else []), _LZMA2]),
    )
    with path.open("wb") as stream:
        write_xz(archive, blocks, stream, lambda done: job.workspace.progress("freezing: packing", done, size))
    return path


_Member = tuple[tarfile.TarInfo, Callable[[], BinaryIO] | None]


def _members(job: _StaticxJob, theirs: tarfile.TarFile) -> Iterator[tuple[str, _Member]]:
    """The members by name, the last of a name being the one that counts: the bundle's, ``libraries``, then staticx's.

    A library that the bundle and staticx both have lies there once, as staticx's, with a link in the bundle's folder.
    """
    shared = set(theirs.getnames())
    for path, entry in job.bundle.tree:
        name = posixpath.basename(path)
        if posixpath.dirname(path) == f"/{INTERNAL}" and name in shared:
            yield path[1:], (_like(path[1:], 0, f"../{name}"), None)
        elif path != f"/{job.name}":
            yield path[1:], _member(path[1:], entry)
    for path, file in job.libraries.files():
        yield posixpath.basename(path), _member(posixpath.basename(path), file)
    for member in theirs:
        source = partial(_extracted, theirs, member) if member.isfile() else None
        yield member.name, (_like(member.name, member.size, member.linkname), source)


def _extracted(archive: tarfile.TarFile, member: tarfile.TarInfo) -> BinaryIO:
    source = archive.extractfile(member)
    assert source is not None, member.name  # noqa: S101  # it's a regular file
    return cast("BinaryIO", source)


def _member(name: str, entry: Entry) -> _Member:
    match entry:
        case File(content):
            member = _like(name, content.size)
            member.mtime = time_of(digest_of(content))
            return member, content.open
        case Symlink(target):
            return _like(name, 0, target), None
    raise ValueError(f"a bundle has no folders: {name}")


def _like(name: str, size: int, target: str = "") -> tarfile.TarInfo:
    """A member without owner and time of its own, as of a link; all are executable, as that costs nothing."""
    member = tarfile.TarInfo(name)
    member.size, member.mode, member.mtime = size, 0o755, TIME
    if target:
        member.type, member.linkname = tarfile.SYMTYPE, target
    return member

"""Layers unpacked into a folder, as engines do it (OCI image-spec v1.1, layer.md): nothing reaches out of it."""

from __future__ import annotations

import errno
import os
import shutil
import stat
from typing import TYPE_CHECKING, Final, NamedTuple

from cannery.errors import ImageError
from cannery.image.decompression import undamaged, unzipped
from cannery.image.hashing import CHUNK, HashingReader, buffered, pieces
from cannery.image.layer import OPAQUE, WHITEOUT
from cannery.image.media_types import COMPRESSIONS, LAYERS
from cannery.image.paths import folder_of, is_folder, make_folder, parts_of
from cannery.image.tar import members
from cannery.workspace.files import explained

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Container, Iterable, Mapping, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from cannery.image.layer import Layer
    from cannery.workspace.digest import Digest

__all__ = ["Unpacked", "unpack", "unpack_archives"]

_SMALL: Final = 1 << 30  # bytes that any layer may unpack to
_MOST: Final = 100  # times its size that a larger one may: programs and texts stay far below, bombs don't
_RESERVED: Final = ".wh..wh."
# The devices that every container has, by their major and minor numbers (Linux, devices.txt). Images made by
# debootstrap have them, too; they are left out, as a container's own /dev hides them.
_USUAL_DEVICES: Final = {(1, 3), (1, 5), (1, 7), (1, 8), (1, 9), (5, 0), (5, 1), (5, 2)}
_PERMISSIONS: Final = 0o1777  # without set-user-ID bits: they have no effect in a container, but one on the host


class Unpacked(NamedTuple):
    """The files that layers turned out to hold, and the folders that they name."""

    layers: tuple[tuple[int, int], ...]  # the files of each, and their bytes
    folders: Mapping[str, tuple[int, int, int]]  # image path -> mode, user and group, as the layers say


def unpack(layers: Sequence[Layer], into: Path) -> Unpacked:
    """Extract ``layers`` in their order into the folder ``into``, with their modes and times.

    Only root sets owners; set-user-ID bits are never set. Raises :class:`ImageError` where a layer isn't
    what its digests say, holds what could reach out of the folder, or unpacks to far more than it should; what was
    extracted till then stays.
    """
    with explained(into):
        root = _Destination(os.fspath(into), owners=os.geteuid() == 0)
        counts = []
        for layer in layers:
            root.begin(f"the layer {layer.name!r}")
            counts.append(_extract(layer, root))
        return Unpacked(tuple(counts), root.finish())


def unpack_archives(archives: Iterable[tuple[str, BinaryIO]], into: Path) -> Mapping[str, frozenset[str]]:
    """Extract tar archives, each with words for it in messages, in their order into the folder ``into``, as layers are.

    Returns the image paths that each archive brought, where links led them. Raises :class:`ImageError` where one holds
    what could reach out of the folder, or unpacks to far too much.
    """
    with explained(into):
        root = _Destination(os.fspath(into), owners=False)
        brought: dict[str, frozenset[str]] = {}
        for name, stream in archives:
            root.begin(name)
            size = 0
            for member, content in members(buffered(stream)):
                size += member.size
                if size > _SMALL:
                    raise root.refused(member, f"with it, the archive unpacks to more than {_SMALL:,} bytes")
                root.add(member, content)
            brought[name] = root.added
        root.finish()
        return brought


def _extract(layer: Layer, root: _Destination) -> tuple[int, int]:
    """Extract one layer, and compare its digests at its end; returns the number of its files, and of their bytes."""
    limit = max(_SMALL, _MOST * layer.size)
    files = size = 0
    with undamaged(f"the layer {layer.name!r}", str(layer.blob)), _open(layer) as file:
        blob = HashingReader(file)
        archive = HashingReader(unzipped(blob, COMPRESSIONS[_media_type(layer)]))
        stream = buffered(archive)
        for member, content in members(stream):
            files += member.isreg() or member.islnk()
            size += member.size if member.isreg() else 0  # more than the archive has of a sparse file
            if max(size, archive.size) > limit:
                raise _bomb(layer, limit, f"at {member.name!r}")
            root.add(member, content)
        for _ in pieces(stream):  # archives may be padded, and digests count that too
            if archive.size > limit:
                raise _bomb(layer, limit, "after the last file")
    _compare("digest", blob, layer.digest, layer)
    _compare("diff ID", archive, layer.diff_id, layer)
    return files, size


def _compare(what: str, reader: HashingReader, expected: Digest, layer: Layer) -> None:
    if reader.digest != expected:
        raise ImageError(
            f"the {what} of the layer {layer.name!r} is wrong",
            evidence=f"expected {expected}\n   found {reader.digest}\n      in {layer.blob}",
            step="remove the file, and build or fetch the image again",
        )


def _media_type(layer: Layer) -> str:
    try:
        return LAYERS[layer.media_type]
    except KeyError as error:
        what = f"the layer {layer.name!r} is of a kind that can't be unpacked"
        raise ImageError(what, evidence=layer.media_type) from error


def _bomb(layer: Layer, limit: int, where: str) -> ImageError:
    return ImageError(
        f"the layer {layer.name!r} unpacks to more than it should",
        evidence=f"{layer.size:,} bytes become more than {limit:,}, {where}",
        step="don't trust this image, or tell who made it",
    )


def _open(layer: Layer) -> BinaryIO:
    try:
        return layer.blob.open("rb")
    except OSError as error:
        raise ImageError(f"the layer {layer.name!r} can't be read", evidence=str(error)) from error


class _Destination:
    """A folder that layers are extracted into, one after the other.

    The image's own links are followed, as in a container: members land where an engine puts them.
    """

    def __init__(self, path: str, *, owners: bool) -> None:
        self._path = path
        self._owners = owners  # whether files get the owners that the layers name
        self._layer = ""
        self._added: set[str] = set()  # by the present layer, whose whiteouts spare them (layer.md, Whiteouts)
        self._folders: dict[str, tarfile.TarInfo] = {}  # by path; their metadata is set at the end
        os.chmod(path, 0o755)  # noqa: S103  # every user of the container starts here

    def begin(self, layer: str) -> None:
        """Count all that is added from now on to ``layer``, as messages call it."""
        self._layer = layer
        self._added = set()

    @property
    def added(self) -> frozenset[str]:
        """The image paths that the present layer has added."""
        return frozenset(path.removeprefix(self._path) for path in self._added)

    def add(self, member: tarfile.TarInfo, content: BinaryIO | None) -> None:
        """Extract the next member of the layer, or apply it where it is a whiteout."""
        parts = self._checked(member, member.name)
        if not parts or any(part.startswith(_RESERVED) for part in parts[:-1]):
            return  # the root itself, whose mode is always the same; or what AUFS keeps for itself
        if parts[0] == "dev" and member.ischr() and (member.devmajor, member.devminor) in _USUAL_DEVICES:
            return
        folder, name = self._below(member, member.name), parts[-1]
        try:
            if name.startswith(WHITEOUT):
                self._remove_lower(member, folder, name)
            else:
                make_folder(self._path, folder)
                self._create(member, content, f"{folder}/{name}")
                self._added.add(f"{folder}/{name}")
        except (FileExistsError, NotADirectoryError) as error:
            raise self.refused(member, "it lies below what is no folder") from error
        except (OverflowError, ValueError) as error:
            raise self.refused(member, f"its metadata make no sense: {error}") from error

    def finish(self) -> dict[str, tuple[int, int, int]]:
        """Set the metadata of the folders, as nothing more goes into them; returns what the layers say that it is."""
        for path in sorted(self._folders, reverse=True):
            member = self._folders[path]
            # Only root can empty a folder without write permission: in anybody else's cache it would stay forever.
            self._set_metadata(member, path, member.mode if self._owners else member.mode | stat.S_IRWXU)
        return {
            path.removeprefix(self._path): (stat.S_IMODE(member.mode), member.uid, member.gid)
            for path, member in self._folders.items()
        }

    def _create(self, member: tarfile.TarInfo, content: BinaryIO | None, path: str) -> None:
        if member.isdir():
            self._add_folder(member, path)
        elif content is not None:
            self._clear(path)
            self._add_file(member, content, path)
        elif member.issym():
            self._clear(path)
            os.symlink(self._no_nul(member, member.linkname), path)
            self._set_owner(member, path)
        elif member.islnk():
            self._add_hard_link(member, path)
        else:
            kind = {b"3": "a device", b"4": "a device", b"6": "a FIFO"}.get(member.type, "of an unknown kind")
            raise self.refused(member, f"it is {kind}")

    def _add_folder(self, member: tarfile.TarInfo, path: str) -> None:
        if not is_folder(path):
            self._clear(path)
            os.mkdir(path, 0o700)
        self._folders[path] = member

    def _add_file(self, member: tarfile.TarInfo, content: BinaryIO, path: str) -> None:
        with open(path, "xb") as file:
            shutil.copyfileobj(content, file, CHUNK)
        self._set_metadata(member, path, member.mode)

    def _add_hard_link(self, member: tarfile.TarInfo, path: str) -> None:
        parts = self._checked(member, member.linkname)
        target = f"{self._below(member, member.linkname)}/{parts[-1]}" if parts else self._path
        if target == path:
            raise self.refused(member, "it is a hard link to itself")
        if not os.path.lexists(target) or is_folder(target):
            raise self.refused(member, f"it is a hard link to {member.linkname!r}, which is no file of the image")
        if target.startswith(f"{path}/"):
            raise self.refused(member, "it takes the place of the folder that it's a hard link into")
        self._clear(path)
        os.link(target, path, follow_symlinks=False)

    def _remove_lower(self, member: tarfile.TarInfo, folder: str, name: str) -> None:
        """Apply a whiteout; it has no effect on what its own layer holds, before or after it."""
        if name == OPAQUE:
            if is_folder(folder):
                for each in os.listdir(folder):
                    self._clear(f"{folder}/{each}", spare=self._added)
            return
        hidden = name.removeprefix(WHITEOUT)
        if hidden in {"", ".", ".."}:
            raise self.refused(member, "it is a whiteout of no file")
        self._clear(f"{folder}/{hidden}", spare=self._added)

    def _clear(self, path: str, *, spare: Container[str] = ()) -> None:
        """Remove ``path`` and all that lies below it, except the paths in ``spare`` and the folders above those."""
        if not os.path.lexists(path):
            return
        found = [path]
        for each in found:  # grows as folders are met: however deep they lie, nothing recurses
            if is_folder(each):
                found += (f"{each}/{name}" for name in os.listdir(each))
        for each in reversed(found):
            if each in spare:
                continue
            if not is_folder(each):
                os.unlink(each)
            elif not os.listdir(each):
                os.rmdir(each)
                self._folders.pop(each, None)

    def _set_metadata(self, member: tarfile.TarInfo, path: str, mode: int) -> None:
        self._set_owner(member, path)
        os.chmod(path, mode & _PERMISSIONS)
        os.utime(path, (member.mtime, member.mtime))

    def _set_owner(self, member: tarfile.TarInfo, path: str) -> None:
        if not self._owners:
            return
        try:
            os.lchown(path, member.uid, member.gid)
        except OSError as error:
            if error.errno != errno.EINVAL:  # this ID isn't mapped in the user namespace: no process there has it
                raise

    def _below(self, member: tarfile.TarInfo, name: str) -> str:
        """The folder that holds ``name``, which may not be there yet."""
        try:
            return folder_of(self._path, name)
        except ImageError as error:
            raise self.refused(member, error.what) from error

    def _checked(self, member: tarfile.TarInfo, name: str) -> list[str]:
        """The parts of a name that the layer gives."""
        parts = parts_of(self._no_nul(member, name))
        if name.startswith("/"):
            raise self.refused(member, f"{name!r} is an absolute name")
        if ".." in parts:
            raise self.refused(member, f"{name!r} leaves the image")
        return parts

    def _no_nul(self, member: tarfile.TarInfo, name: str) -> str:
        if not name or "\0" in name:
            raise self.refused(member, f"{name!r} is no name of a file")
        return name

    def refused(self, member: tarfile.TarInfo, why: str) -> ImageError:
        """The error that says why a member can't be unpacked."""
        return ImageError(
            f"{self._layer} holds {member.name!r}, which can't be unpacked",
            evidence=why,
            step="don't trust this image, or tell who made it",
        )

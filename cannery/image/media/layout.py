"""An image in a folder: an OCI layout (OCI image-spec v1.1, image-layout.md)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.errors import ConfigurationError, ImageError
from cannery.image.image import canonical_json, index_of
from cannery.image.media.files import FolderFiles, blob_name, distinct
from cannery.image.media.medium import Descriptor, document_in, parse_json
from cannery.image.media.names import annotations_of, matching, names_of
from cannery.image.media.walk import entries_of
from cannery.image.platform import Platform
from cannery.workspace.digest import Digest
from cannery.workspace.workspace import silent

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from contextlib import AbstractContextManager
    from pathlib import Path

    from cannery.image.hashing import Readable
    from cannery.image.image import Image, ImageIndex
    from cannery.image.media.files import Files
    from cannery.workspace.workspace import Progress

__all__ = ["INDEX_FILE", "MARK", "MARK_FILE", "Layout", "LayoutFiles", "documents_of", "entries_for", "not_one"]

INDEX_FILE: Final = "index.json"
MARK_FILE: Final = "oci-layout"
MARK: Final = canonical_json({"imageLayoutVersion": "1.0.0"})


@dataclass(frozen=True, slots=True)
class Layout:
    """The image called ``reference`` in the layout ``folder``, or its only one."""

    folder: Path
    reference: str | None = None

    @property
    def name(self) -> str:
        """The image as skopeo and cannery's settings call it."""
        return f"oci:{self.folder}" + (f":{self.reference}" if self.reference else "")

    @property
    def index(self) -> Path:
        """The file that changes when the layout does."""
        return self.folder / INDEX_FILE

    def root(self) -> bytes:
        """The manifest or the index that the reference leads to.

        Raises :class:`ImageError` where there is no layout, :class:`ConfigurationError` where the reference leads to
        no image or to several.
        """
        if not self.index.is_file():
            raise ImageError(
                f"there is no image in {self.folder}",
                evidence=f"an OCI layout has a file {self.index}",
                step="make one, for example with  skopeo copy docker://python:3.11-slim oci:DIR:latest",
            )
        return self._files.root()

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """The bytes of a blob."""
        return self._files.blob(descriptor)

    @property
    def _files(self) -> LayoutFiles:
        return LayoutFiles(FolderFiles(self.folder), self.reference, self.name)

    def write(self, image: Image | ImageIndex, references: Sequence[str] = (), *, progress: Progress = silent) -> None:
        """Write ``image`` under the names ``references``; images of other names stay.

        So do blobs of an image that loses its last name. Raises :class:`ImageError` where a layer's blob is damaged.
        """
        files = FolderFiles(self.folder)
        for name, data in documents_of(image):
            files.add(name, data)
        layers = distinct(image.layers)
        done, total = 0, sum(layer.size for layer in layers)
        for layer in layers:
            files.add_layer(layer)
            done += layer.size
            progress("writing the layout", done, total)
        before = _read_index(files, str(self.index)) if self.index.is_file() else {"manifests": []}
        stay = [entry for entry in entries_of(before, str(self.index)) if not _replaced(entry, image, references)]
        files.add(MARK_FILE, MARK)
        files.add(INDEX_FILE, canonical_json({**before, **index_of([*stay, *entries_for(image, references)])}))


@dataclass(frozen=True, slots=True)
class LayoutFiles:
    """The image called ``reference`` in the layout that ``files`` are, or its only one; ``name`` is for messages."""

    files: Files
    reference: str | None
    name: str

    def root(self) -> bytes:
        """The manifest or the index that the reference leads to.

        Several entries, each for another platform, are one image, and an index of them is made. Raises
        :class:`ConfigurationError` where the reference leads to no image or to several.
        """
        what = f"{INDEX_FILE} of {self.name}"
        index = _read_index(self.files, what)
        entries = entries_of(index, what)
        chosen = matching(((entry, names_of(entry)) for entry in entries), self.reference)
        different = list({Descriptor.parse(entry).digest: entry for entry in chosen}.values())
        platforms = {Platform.from_json(entry.get("platform") or {}) for entry in different} - {Platform("", "")}
        if len(different) > 1 and len(platforms) == len(different):
            return canonical_json({**index, "manifests": different})
        if len(different) != 1:
            there = [names[0] for entry in entries if (names := names_of(entry))]
            raise not_one(len(different), self.name, self.reference, there)
        with self.blob(Descriptor.parse(different[0])) as stream:
            return document_in(stream, f"the manifest of {self.name}")

    def blob(self, descriptor: Descriptor) -> AbstractContextManager[Readable]:
        """The bytes of a blob."""
        return self.files.open(blob_name(descriptor.digest))


def not_one(count: int, name: str, reference: str | None, there: Sequence[str]) -> ConfigurationError:
    """The error for a medium that has no image of a name, or several; it lists the names that are ``there``."""
    names = sorted(set(there))
    return ConfigurationError(
        f"{name} names {f'{count} images' if count else 'no image'}",
        evidence=f"there are: {', '.join(names) or 'none with a name'}",
        step=f"name one of them:  {name.removesuffix(f':{reference}')}:{names[0] if names else 'NAME'}",
    )


def documents_of(image: Image | ImageIndex) -> Iterator[tuple[str, bytes]]:
    """The names and the contents of all blobs of ``image`` but its layers."""
    yield from ((blob_name(each.id), each.config_blob) for each in image.images)
    yield from ((blob_name(Digest.of(data)), data) for _, data in image.documents)


def entries_for(image: Image | ImageIndex, references: Sequence[str]) -> list[Mapping[str, Any]]:
    """The entries of ``image`` in an index: one for each of its names, or one without a name."""
    one = image.descriptor
    return [{**one, "annotations": annotations_of(reference)} for reference in references] or [one]


def _replaced(entry: Mapping[str, Any], image: Image | ImageIndex, references: Sequence[str]) -> bool:
    names = names_of(entry)
    return bool({*names} & {*references}) or (not names and entry.get("digest") == str(image.digest))


def _read_index(files: Files, what: str) -> Mapping[str, Any]:
    with files.open(INDEX_FILE) as stream:
        return parse_json(document_in(stream, what), what)

"""A cache of what was made before: blobs by digest, records and folders by key.

Everything is written under another name and renamed, so that the cache is right after a crash at any moment, and two
builds may use it at once.
"""

from __future__ import annotations

import hashlib
import json
import os
import secrets
import shutil
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO, Protocol

from cannery import __version__
from cannery.errors import MachineError
from cannery.workspace.files import explained, refusal, replacing, user_path
from cannery.workspace.use import used

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.workspace.digest import Digest

    Waiting = Callable[[], None]

__all__ = ["DEEPER", "Cache", "SharedRecords", "Waiting", "default_cache", "in_silence"]

DEEPER = frozenset({"blobs", "bytecode", "extensions"})  # kinds whose entries lie in folders of the kind's


def in_silence() -> None:
    """Wait for another build and say nothing."""


class SharedRecords(Protocol):
    """Records that builds of other machines have made, and the layers that these speak of."""

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        """The record under ``kind`` and ``key``; None where there is none."""
        ...

    def use(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Take note that this build has made that record, or gone by it."""
        ...

    def has_blob(self, digest: Digest) -> bool:
        """True where the blob of a layer can be had there."""
        ...

    def fetch(self, layer: Any, blobs: Any) -> None:
        """Bring the blob of ``layer``, one that can be had there, into ``blobs``; both are as images have them."""
        ...


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of results, which may be removed: that costs time and nothing else."""

    root: Path  # of one version of cannery
    shared: SharedRecords | None = None

    def blob(self, digest: Digest) -> Path:
        """The path of the blob called ``digest``, which need not be there."""
        return self.root / "blobs" / "sha256" / digest.hex

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        """The value that :meth:`remember` was given under ``kind`` and ``key``; None without an undamaged record.

        What is ``shared`` is asked where it isn't here. Raises :class:`MachineError` for a record that can't be read.
        """
        value = self._recall(kind, key)
        if self.shared is None:
            return value
        if value is None:
            value = self.shared.recall(kind, key)
        if value is not None:
            self.shared.use(kind, key, value)
        return value

    def _recall(self, kind: str, key: str) -> dict[str, Any] | None:
        path = self._record(kind, key)
        try:
            digest, _, text = path.read_bytes().partition(b"\n")
            used(path)
        except FileNotFoundError:
            return None
        except OSError as error:
            raise refusal(error, path, "read") from error
        return dict(json.loads(text)) if digest == _digest(text) else None

    def remember(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep ``value``, which has to be what JSON can hold, for :meth:`recall`."""
        text = json.dumps(value).encode()
        with replacing(self._record(kind, key)) as stream:
            stream.write(_digest(text) + b"\n" + text)
        if self.shared is not None:
            self.shared.use(kind, key, value)

    def folder(
        self,
        kind: str,
        key: str,
        fill: Callable[[Path], None],
        *,
        whole: Callable[[Path], bool] = Path.is_dir,
        waiting: Waiting = in_silence,
    ) -> Path:
        """The path of a folder that ``fill`` has filled, now or in an earlier build; it's complete or doesn't exist.

        ``fill`` is given an empty folder. A folder that isn't ``whole`` any more is filled anew. ``waiting`` is called
        once where another build is filling it. Raises :class:`MachineError` where the cache can't be written.
        """
        target = self.root / kind / key
        with explained(target, "read"):
            if whole(target) and used(target):
                return target
        with self.lock(f"{kind}-{key}", waiting):
            if not whole(target):
                with self.scratch() as folder, explained(target):
                    fill(folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    self._discard(target)
                    folder.rename(target)
        return target

    def entry_of(self, path: Path) -> Path | None:
        """The file or folder of the cache, as it's removed, that ``path`` is or lies in; None for one elsewhere."""
        if not path.is_relative_to(self.root):
            return None
        kind, *rest = path.relative_to(self.root).parts
        return path if kind in DEEPER or not rest else self.root / kind / rest[0]

    def remove(self, entry: Path) -> None:
        """Remove an entry, as a whole, at once."""
        with explained(entry):
            self._discard(entry)

    @contextmanager
    def new_blob(self) -> Iterator[tuple[BinaryIO, Callable[[Digest], Path]]]:
        """A file to write a blob to, and a function that names the file by its digest and returns the path."""
        with self.scratch() as folder:
            path = folder / "blob"

            def commit(digest: Digest) -> Path:
                target = self.blob(digest)
                with explained(target):
                    stream.close()
                    target.parent.mkdir(parents=True, exist_ok=True)
                    path.replace(target)
                return target

            with explained(path), path.open("xb") as stream:
                yield stream, commit

    @contextmanager
    def scratch(self) -> Iterator[Path]:
        """An empty folder on the cache's file system, removed at the end, or by the next build after a killed one."""
        from filelock import FileLock  # noqa: PLC0415  # slow to import, and not needed when nothing changed

        home = self.root / "tmp"
        folder = home / secrets.token_hex(8)
        lock = FileLock(f"{folder}.lock")
        with explained(home):
            home.mkdir(parents=True, exist_ok=True)
            self._sweep(home)
        try:
            with explained(folder):
                lock.acquire()
                folder.mkdir()
            yield folder
        finally:
            shutil.rmtree(folder, ignore_errors=True)
            with suppress(OSError):  # the lock may never have been made
                Path(lock.lock_file).unlink()
            lock.release()

    @contextmanager
    def lock(self, name: str, waiting: Waiting = in_silence) -> Iterator[None]:
        """Hold the lock ``name``, which one build at a time can; ``waiting`` is called where another one holds it."""
        from filelock import FileLock, Timeout  # noqa: PLC0415

        path = self.root / "locks" / f"{name}.lock"
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            try:
                lock.acquire(timeout=0)
            except Timeout:
                waiting()
                lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _discard(self, folder: Path) -> None:
        with self.scratch() as scratch, suppress(FileNotFoundError):
            folder.rename(scratch / "damaged")

    def _record(self, kind: str, key: str) -> Path:
        return self.root / kind / f"{key}.record"

    @staticmethod
    def _sweep(home: Path) -> None:
        """Remove the folders of killed builds: those whose lock nobody holds."""
        from filelock import FileLock, Timeout  # noqa: PLC0415

        for name in {path.name.removesuffix(".lock") for path in home.iterdir()}:
            with suppress(Timeout), FileLock(home / f"{name}.lock", timeout=0):
                shutil.rmtree(home / name, ignore_errors=True)
                (home / f"{name}.lock").unlink(missing_ok=True)


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).hexdigest().encode()


def default_cache() -> Cache:
    """The user's cache: a folder of this version in ``CANNERY_CACHE``, or else where the platform has caches.

    No version reads what another one wrote. Raises :class:`MachineError` for a user with no home folder.
    """
    if chosen := os.environ.get("CANNERY_CACHE"):
        return Cache(user_path(chosen).absolute() / __version__)
    import platformdirs  # noqa: PLC0415

    try:
        usual = Path(platformdirs.user_cache_dir("cannery"))
    except RuntimeError as error:
        homeless = "you have no home folder to keep the cache in"
        raise MachineError(homeless, evidence=str(error), step="set HOME, or CANNERY_CACHE") from error
    return Cache(usual / __version__)

"""What was made before: blobs by digest, results by key, folders by key.

Everything is written beside and renamed, so that the cache is right after a crash at any moment, and two builds
may use it at once.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

from cannery import __version__
from cannery.files import explained, replacing

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Mapping

    from cannery.model import Digest

__all__ = ["Cache", "default_cache"]


@dataclass(frozen=True, slots=True)
class Cache:
    """A folder of results; removing it costs time and nothing else."""

    root: Path

    def blob(self, digest: Digest) -> Path:
        """Where the blob of ``digest`` lies, if it does."""
        return self.root / "blobs" / "sha256" / digest.hex

    def recall(self, kind: str, key: str) -> dict[str, Any] | None:
        """What :meth:`remember` was given, or None."""
        try:
            return dict(json.loads(self._record(kind, key).read_bytes()))
        except (FileNotFoundError, ValueError):
            return None

    def remember(self, kind: str, key: str, value: Mapping[str, Any]) -> None:
        """Keep ``value``, which JSON can hold, for :meth:`recall`."""
        with replacing(self._record(kind, key)) as stream:
            stream.write(json.dumps(value).encode())

    def folder(self, kind: str, key: str, fill: Callable[[Path], None]) -> Path:
        """The folder that ``fill`` fills, filled once: complete, or not there at all."""
        target = self.root / kind / key
        if target.is_dir():
            return target
        with self.lock(f"{kind}-{key}"):
            if not target.is_dir():
                with self.scratch() as folder, explained(target):
                    fill(folder)
                    target.parent.mkdir(parents=True, exist_ok=True)
                    folder.rename(target)
        return target

    @contextmanager
    def new_blob(self) -> Iterator[tuple[BinaryIO, Callable[[Digest], Path]]]:
        """A file to write a blob to, and the function that gives it its name once the digest is known."""
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
        """A folder of its own on the cache's file system, gone at the end; a killed process's goes at the next."""
        from filelock import FileLock  # noqa: PLC0415  # slow to import, not needed when nothing changed

        home = self.root / "tmp"
        with explained(home):
            home.mkdir(parents=True, exist_ok=True)
        self._sweep(home)
        folder = home / secrets.token_hex(8)
        lock = FileLock(f"{folder}.lock")
        with explained(folder), lock:
            folder.mkdir()
            try:
                yield folder
            finally:
                shutil.rmtree(folder, ignore_errors=True)
                Path(lock.lock_file).unlink(missing_ok=True)

    @contextmanager
    def lock(self, name: str) -> Iterator[None]:
        """Wait until no other build holds ``name``, and hold it."""
        from filelock import FileLock  # noqa: PLC0415

        path = self.root / "locks" / f"{name}.lock"
        with explained(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            lock = FileLock(path)
            lock.acquire()
        try:
            yield
        finally:
            lock.release()

    def _record(self, kind: str, key: str) -> Path:
        return self.root / kind / f"{key}.json"

    @staticmethod
    def _sweep(home: Path) -> None:
        """Remove the folders of builds that were killed: those whose lock nobody holds."""
        from filelock import FileLock, Timeout  # noqa: PLC0415

        for folder in home.iterdir():
            if folder.suffix == ".lock":
                continue
            try:
                with FileLock(f"{folder}.lock", timeout=0):
                    shutil.rmtree(folder, ignore_errors=True)
                    folder.with_suffix(".lock").unlink(missing_ok=True)
            except Timeout:
                continue


def default_cache() -> Cache:
    """The user's cache, ``CANNERY_CACHE`` or where the platform keeps such things; each version has its own part.

    So no version ever reads what another one wrote.
    """
    if chosen := os.environ.get("CANNERY_CACHE"):
        return Cache(Path(chosen).expanduser().absolute() / __version__)
    import platformdirs  # noqa: PLC0415

    return Cache(Path(platformdirs.user_cache_dir("cannery")) / __version__)

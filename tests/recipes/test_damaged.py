"""What differs in a blob is told by the right one: of this machine's cache, or built again."""

from __future__ import annotations

import gzip
import io
import tarfile
from contextlib import contextmanager, nullcontext
from typing import TYPE_CHECKING, Any, cast

import pytest

from cannery.errors import ImageError, UnprovenError
from cannery.image.layer import Layer
from cannery.image.media.medium import Descriptor
from cannery.recipes.damaged import located
from cannery.recipes.rebuild import Rebuilt
from cannery.workspace.cache import Cache
from cannery.workspace.digest import Digest
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

pytestmark = pytest.mark.once

ERROR = ImageError("a blob is not what its digest says", evidence="expected this, found that", step="fetch it again")


def blob(content: bytes) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w") as archive:
        member = tarfile.TarInfo("app/main.pyc")
        member.size = len(content)
        archive.addfile(member, io.BytesIO(content))
    return gzip.compress(stream.getvalue(), mtime=0)


RIGHT, THERE = blob(b"as it was built"), blob(b"as it was found")
DIGEST = Digest.of(RIGHT)


class Elsewhere:
    """A medium whose blob is another one."""

    def blob(self, _: Descriptor) -> Any:
        return nullcontext(io.BytesIO(THERE))


def told(folder: Path, again: Callable[[], Any] | None) -> str:
    workspace = Workspace(Cache(folder), run)
    found = located(ERROR, cast("Any", Elsewhere()), Descriptor("", DIGEST, len(RIGHT)), again, workspace)
    assert (found.what, found.step) == (ERROR.what, ERROR.step)
    return found.evidence


def test_the_cache_s_own_is_enough(tmp_path: Path) -> None:
    path = Cache(tmp_path).blob(DIGEST)
    path.parent.mkdir(parents=True)
    path.write_bytes(RIGHT)
    assert told(tmp_path, None) == f"{ERROR.evidence}\nthe first byte that differs is of /app/main.pyc, at 10"
    path.write_bytes(THERE)  # damaged as well
    assert told(tmp_path, None) == ERROR.evidence


def test_without_it_the_image_is_built_again(tmp_path: Path) -> None:
    (tmp_path / "right").write_bytes(RIGHT)
    layer = Layer("app", DIGEST, DIGEST, len(RIGHT), 1, 1, "", tmp_path / "right")

    @contextmanager
    def again() -> Iterator[Rebuilt]:
        yield Rebuilt((cast("Any", type("Image", (), {"layers": (layer,)})),), frozenset(), ())

    def fails() -> Any:
        raise UnprovenError("the commit can't be had")

    assert "is of /app/main.pyc, at 10" in told(tmp_path, again)
    assert told(tmp_path, fails) == ERROR.evidence

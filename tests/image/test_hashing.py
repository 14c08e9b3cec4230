from __future__ import annotations

import io

from cannery.image.gzip import GzipWriter
from cannery.image.hashing import HashingWriter
from cannery.workspace.digest import Digest


def test_knows_the_digest_and_the_size_of_what_it_passed_on() -> None:
    sink = io.BytesIO()
    writer = HashingWriter(sink)
    assert writer.write(b"two ") == 4
    assert writer.write(memoryview(b"parts")) == 5
    assert sink.getvalue() == b"two parts"
    assert writer.digest == Digest.of(b"two parts")
    assert writer.size == 9


def test_one_on_each_side_of_gzip_gives_a_layers_digest_and_diff_id() -> None:
    sink = io.BytesIO()
    blob = HashingWriter(sink)
    with GzipWriter(blob) as member:
        archive = HashingWriter(member)
        archive.write(b"an archive")
    assert archive.digest == Digest.of(b"an archive")
    assert blob.digest == Digest.of(sink.getvalue())

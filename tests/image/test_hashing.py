from __future__ import annotations

import gzip
import io

from cannery.image.gzip import GzipWriter
from cannery.image.hashing import HashingReader, HashingWriter, pieces
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


def test_knows_the_digest_and_the_size_of_what_was_read_so_far() -> None:
    reader = HashingReader(io.BytesIO(b"two parts"))
    assert reader.read(4) == b"two "
    assert (reader.digest, reader.size) == (Digest.of(b"two "), 4)
    assert reader.read() == b"parts"
    assert (reader.digest, reader.size) == (Digest.of(b"two parts"), 9)


def test_what_has_a_buffer_above_it_is_hashed_as_far_as_that_has_read() -> None:
    reader = HashingReader(io.BytesIO(gzip.compress(b"zipped", mtime=0)))
    with gzip.GzipFile(fileobj=reader) as unzipped:
        assert unzipped.read() == b"zipped"
    assert reader.digest == Digest.of(gzip.compress(b"zipped", mtime=0))


def test_a_stream_is_read_piece_by_piece() -> None:
    assert [*pieces(io.BytesIO(b"two parts"), 5)] == [b"two p", b"arts"]
    assert [*pieces(io.BytesIO())] == []

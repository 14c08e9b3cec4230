"""``invoke audit`` of the sample's image, against what reading it costs: unpacking, digests, the archive's members."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from benchmarks.figures import Figure
from benchmarks.projects import sample
from benchmarks.timing import interleaved

if TYPE_CHECKING:
    from collections.abc import Iterator

    from benchmarks.bench import Bench

__all__ = ["audit"]

_READ: Final = """
import sys
from cannery.image.decompression import compression_of, unzipped
from cannery.image.hashing import HashingReader, buffered, pieces
from cannery.image.tar import members

with open(sys.argv[1], "rb") as archive:
    for _, blob in members(buffered(archive)):
        if blob is not None:
            stream = buffered(HashingReader(blob))
            if compression := compression_of(stream.peek(8)):
                for _, content in members(unzipped(stream, compression)):
                    for _ in pieces(content) if content is not None else ():
                        pass
            for _ in pieces(stream):
                pass
"""


def audit(bench: Bench) -> Iterator[Figure]:
    """The audit of the archive, against a program that reads each file of each layer and looks at none."""
    project = sample(bench.folder / "audit")
    archive = project / "audited.tar"
    bench.image(project, "--output", str(archive))
    costs = interleaved(
        bench.several(),
        audit=bench.invoke(project, "audit", "--image", str(archive), "--json", "--fail-on", "never"),
        reading=bench.command(project, str(bench.venv / "bin" / "python"), "-c", _READ, str(archive)),
    )
    detail = f"{costs['audit']}; reading: {costs['reading']}"
    yield Figure("audit: against reading the image", costs["audit"].ratio(costs["reading"]), "×", 2, detail)

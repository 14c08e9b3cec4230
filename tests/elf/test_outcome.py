"""What a rewrite hands back: new content, or the same with the reason why."""

from __future__ import annotations

from typing import TYPE_CHECKING, BinaryIO

import pytest

from cannery.elf.headers import ElfReader, MalformedElfError, UnsupportedElfError
from cannery.elf.outcome import Outcome, Refusal, rewritten
from cannery.image.content import Inline
from tests.support.elf_files import Handmade

if TYPE_CHECKING:
    from cannery.image.content import Content

pytestmark = pytest.mark.once

ELF = Inline(Handmade(size=0x400).build())


def test_new_content_is_handed_back() -> None:
    new = Inline(b"new")
    seen = []

    def rewrite(content: Content, reader: ElfReader) -> Content:
        seen.append((content, reader.header.machine))
        return new

    assert rewritten("try", ELF, rewrite) == Outcome(new)
    assert seen == [(ELF, 62)]


@pytest.mark.parametrize(
    ("error", "why"),
    [(UnsupportedElfError("it is odd"), "it is odd"), (MalformedElfError("it ends"), "it is malformed: it ends")],
)
def test_an_error_becomes_a_refusal(error: Exception, why: str) -> None:
    def rewrite(_: Content, __: ElfReader) -> Content:
        raise error

    outcome = rewritten("try", ELF, rewrite)
    assert outcome == Outcome(ELF, (Refusal("try", why),))
    assert outcome.content is ELF


def test_a_header_that_can_t_be_read_is_a_refusal() -> None:
    broken = Inline(b"\x7fELF" + bytes(60))

    def rewrite(_: Content, __: ElfReader) -> Content:
        raise AssertionError

    (refusal,) = rewritten("try", broken, rewrite).refusals
    assert refusal.why.startswith("it is malformed: its class")


def test_what_is_no_elf_is_not_read_further() -> None:
    class Short:
        size = 10**9

        def open(self) -> BinaryIO:
            return Inline(b"#!/b").open()

    def rewrite(_: Content, __: ElfReader) -> Content:
        raise AssertionError

    script = Short()
    assert rewritten("try", script, rewrite) == Outcome(script)

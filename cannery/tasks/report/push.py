"""The report of a push: each blob and what came of it, and the references of the image."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from cannery.tasks.report.text import Column, human_size, ruled, styled

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.registry.push import Pushed
    from cannery.image.registry.upload import Sent
    from cannery.recipes.attest import Attached
    from cannery.recipes.push import PushedImage

__all__ = ["PushReport"]

_LARGE: Final = 10**6  # bytes of a blob that takes long enough for its rate to say something
_STATES: Final = {"present": "is there", "mounted": "taken from another repository", "sent": "sent"}


@dataclass(frozen=True, slots=True)
class PushReport:
    """An image that was pushed, and how long that took."""

    made: PushedImage
    seconds: float

    def as_json(self) -> dict[str, Any]:
        """The report in JSON's types; sizes are bytes."""
        return {
            "digest": str(self.made.image.digest),
            "platforms": {str(each.platform): str(each.digest) for each in self.made.image.images},
            "packed": sorted({name for each in self.made.each for name in each.packed}),
            "dry_run": self.made.dry,
            "bytes_for_other_builds": self.made.bytes_for_others,
            "attached": [_attached_as_json(each) for each in self.made.attached],
            "pushed": [_pushed_as_json(each) for each in self.made.pushed],
            "seconds": round(self.seconds, 3),
            "notes": list(self.made.notes),
        }

    def lines(self) -> Iterator[str]:
        """The report in lines of text; the last ones are the references by digest."""
        for pushed in self.made.pushed:
            yield from self._repository(pushed)
        yield from self._attached()
        if self.made.bytes_for_others:
            yield f"cache    {human_size(self.made.bytes_for_others)} sent, by which other machines build on this"
        yield f"took     {self.seconds:.2f} s"
        yield from (f"{styled('note', 'yellow')}     {note}" for note in self.made.notes)
        yield ""
        yield from (str(pushed.reference) for pushed in self.made.pushed)

    def _repository(self, pushed: Pushed) -> Iterator[str]:
        where, tags = f"{pushed.reference.registry}/{pushed.reference.repository}", ", ".join(pushed.tags)
        yield f"{styled(where, 'bold')}  {tags}{'  (nothing was sent: this is what would be)' if self.made.dry else ''}"
        rows = [(sent.blob.name, human_size(sent.blob.size), self._state(sent)) for sent in pushed.blobs]
        total = f"{human_size(pushed.bytes_sent)} {'to send' if self.made.dry else 'sent'}"
        size = human_size(sum(sent.blob.size for sent in pushed.blobs))
        yield from ruled((Column("blob", "together"), Column("size", size, right=True), Column("", total)), rows)

    def _attached(self) -> Iterator[str]:
        found = self.made.attached
        if found:
            rows = [
                (
                    each.what,
                    f"{str(each.subject)[:19]}…",
                    human_size(each.bytes_sent) if each.bytes_sent else "is there",
                )
                for each in found
            ]
            total = f"{human_size(sum(each.bytes_sent for each in found))} sent"
            yield from [*ruled((Column("attached", "together"), Column("to"), Column("", total)), rows)][1:]

    def _state(self, sent: Sent) -> str:
        if sent.state != "sent":
            return styled(_STATES[sent.state], "dim")
        if self.made.dry:
            return "would be sent"
        rate = f", {human_size(sent.blob.size / sent.seconds)}/s" if sent.blob.size > _LARGE and sent.seconds else ""
        return f"{_STATES[sent.state]}{rate}"


def _attached_as_json(attached: Attached) -> dict[str, Any]:
    return {
        "what": attached.what,
        "subject": str(attached.subject),
        "digest": str(attached.artifact),
        "bytes_sent": attached.bytes_sent,
    }


def _pushed_as_json(pushed: Pushed) -> dict[str, Any]:
    return {
        "reference": str(pushed.reference),
        "tags": list(pushed.tags),
        "bytes_sent": pushed.bytes_sent,
        "blobs": [
            {
                "name": sent.blob.name,
                "digest": str(sent.blob.digest),
                "size": sent.blob.size,
                "state": sent.state,
                "seconds": round(sent.seconds, 3),
            }
            for sent in pushed.blobs
        ],
    }

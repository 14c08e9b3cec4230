"""What a document that holds a secret looks like, and what in its place is none."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from cannery.secrets.values import is_placeholder, may_be_password

if TYPE_CHECKING:
    import re
    from collections.abc import Callable

    from cannery.secrets.kind import Kind

__all__ = ["Form", "is_no_example", "may_be_chosen"]


@dataclass(frozen=True, slots=True)
class Form:
    """A kind of document: words that all of it have, and the pattern of the secret in it."""

    kind: Kind
    words: tuple[bytes, ...]
    pattern: re.Pattern[bytes]  # its first group is the secret
    is_right: Callable[[bytes], bool] = lambda _: True
    start: bytes = b""  # what the pattern begins with, where it may look far ahead from there


def may_be_chosen(value: bytes) -> bool:
    """True for what somebody may have chosen as a password."""
    return may_be_password(value.decode("utf-8", "replace"))


def is_no_example(value: bytes) -> bool:
    """True for anything but what documents have in a secret's place."""
    return not is_placeholder(value.decode("utf-8", "replace"))

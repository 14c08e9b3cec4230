"""Dictionaries and sets of all kinds of keys, as they are when a program has been imported."""

import collections
import dataclasses
import datetime
import decimal
import enum
import functools
import pathlib
import weakref


class Colour(enum.Enum):
    RED = "red"
    GREEN = "green"


@dataclasses.dataclass(frozen=True)
class Point:
    name: str


class Named:
    def __init__(self, name: str) -> None:
        self.name = name

    def __hash__(self) -> int:
        return hash(self.name)

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Named) and self.name == other.name


class Late(Named):
    """Keeps its hash once somebody has asked for it."""

    kept = None

    def __hash__(self) -> int:
        if self.kept is None:
            self.kept = hash(self.name)
        return self.kept


def all_kinds() -> list[object]:
    return [
        *(
            "text",
            b"bytes",
            1.5,
            7,
            None,
            True,
            ("tuple", 1),
            ("t", frozenset("in")),
            frozenset((frozenset(("deep", frozenset(("deeper",)))),)),
            frozenset(("x", "y")),
        ),
        *(Colour.RED, Point("here"), Named("mine"), Late("mine too"), pathlib.PurePath("p/q"), decimal.Decimal("1.5")),
        *(datetime.date(2026, 1, 2), datetime.datetime(2026, 1, 2, tzinfo=datetime.UTC), datetime.time(3)),
        datetime.timedelta(5),
    ]


TABLE = {key: number for number, key in enumerate(all_kinds())}
SET = set(all_kinds())
FROZEN = frozenset(all_kinds())
ORDERED = collections.OrderedDict((str(number), number) for number in range(50))
KEPT = Named("kept")
WEAK = weakref.WeakKeyDictionary({KEPT: 1})


@functools.lru_cache
def remembered(text: str) -> str:
    return text


remembered("once")

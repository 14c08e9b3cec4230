"""``--explain`` shows what stayed as it was, and why."""

from __future__ import annotations

from cannery.image.tree import Decision
from cannery.tasks.report.decisions import decision_lines, decisions_as_json

DECISIONS = (
    Decision("/lib/small.so", "strip", "its section headers are damaged", 1_000),
    Decision("/lib/other.so", "compact", "it has no dynamic section", 5_000),
    Decision("/lib/large.so", "strip", "its section headers are damaged", 2_000_000),
)


def test_what_was_tried_is_said_once_for_all_files_that_stayed_for_one_reason() -> None:
    assert "\n".join(decision_lines(DECISIONS)).splitlines() == [
        "",
        "strip: not done, as its section headers are damaged",
        "     2.0 MB  /lib/large.so",
        "     1.0 kB  /lib/small.so",
        "",
        "compact: not done, as it has no dynamic section",
        "     5.0 kB  /lib/other.so",
    ]


def test_nothing_to_tell_is_told() -> None:
    assert "No file was left" in "".join(decision_lines(()))


def test_programs_get_each_file_with_its_bytes() -> None:
    assert decisions_as_json(DECISIONS[:1]) == [
        {"path": "/lib/small.so", "tried": "strip", "why": "its section headers are damaged", "size": 1000}
    ]

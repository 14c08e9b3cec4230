"""The documentation says what the code does."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec

from cannery.project.settings import Settings

DOCS = Path(__file__).parents[1] / "docs"


def test_every_setting_is_documented_and_no_other() -> None:
    text = (DOCS / "configuration.md").read_text(encoding="utf-8")
    documented = set(re.findall(r"^\| `([a-z-]+)` \|", text, re.MULTILINE))
    assert documented == {field.encode_name for field in msgspec.structs.fields(Settings)}

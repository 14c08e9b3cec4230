"""Each setting is documented, and each flag is a setting."""

from __future__ import annotations

import re
from pathlib import Path

import msgspec
import pytest

from cannery.project.flags import BUILD_FLAGS, FLAGS
from cannery.project.settings import Settings

pytestmark = pytest.mark.once

DOCUMENT = Path(__file__).parents[2] / "docs" / "configuration.md"


def test_the_documentation_has_every_setting_and_no_other() -> None:
    rows = re.findall(r"^\| `([a-z-]+)` \|", DOCUMENT.read_text(encoding="utf-8"), re.MULTILINE)
    assert sorted(rows) == sorted(field.encode_name for field in msgspec.structs.fields(Settings))


def test_the_documentation_has_every_setting_of_a_table() -> None:
    text = DOCUMENT.read_text(encoding="utf-8")
    tables = [field.default for field in msgspec.structs.fields(Settings) if isinstance(field.default, msgspec.Struct)]
    assert len(tables) == 6
    for table in tables:
        for field in msgspec.structs.fields(type(table)):
            assert re.search(rf"\b{field.encode_name} = ", text), field.encode_name


def test_a_flag_is_a_setting_and_a_switch_where_that_is_true_or_false() -> None:
    kinds = {field.name: field.type for field in msgspec.structs.fields(Settings)}
    assert {name: flag.switch for name, flag in FLAGS.items()} == {name: kinds[name] is bool for name in FLAGS}


def test_flags_of_a_build_are_those_that_decide_how_it_is_made() -> None:
    assert BUILD_FLAGS == ("recipe", "base", "runtime", "platform", "tag", "python", "strip", "compile", "engine")

"""What extension modules import, which no source says."""

from __future__ import annotations

from cannery.image.content import Inline
from cannery.imports.extension import names_in, read_binary


def test_names_of_a_package_s_own_modules_are_found_in_a_binary() -> None:
    data = b"\0polars.exceptions.ShapeError\0Rust has polars.datatypespolars.io here\0other.module\0polars\0"
    assert names_in(data, ["polars"]) == {"polars.exceptions.ShapeError", "polars.datatypes", "polars.io"}


def test_the_module_of_a_capsule_is_imported_for_it() -> None:
    found = read_binary(Inline(b"\0datetime.datetime_CAPI\0 APICAPI\0"), "own", [])
    assert found.binary == {"datetime"}


def test_a_known_module_is_told_from_the_string_behind_it() -> None:
    found = read_binary(Inline(b"\0own.partOther\0"), "own.native", ["own"], {"own.part", "own.pa"})
    assert found.dotted == {"own.part", "own.partOther"}


def test_words_in_a_binary_may_be_top_level_modules() -> None:
    data = b"\0zoneinfo\0a json b\0csvx\0_private_partThe\0partner\0strptime\0test\0own\0other\0zoneinfo._common\0"
    found = read_binary(Inline(data), "own.part", ["own", "other", "_private_part", "part", "absent"])
    assert found.binary == {"zoneinfo", "other", "_private_part"}
    assert found.attributes == {"strptime"}
    assert found.dotted == {"zoneinfo._common"}

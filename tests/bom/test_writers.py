"""Bills of material: valid by the specifications, the same bytes every time, read back as they were written."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from spdx_tools.spdx.parser.parse_anything import parse_file
from spdx_tools.spdx.validation.document_validator import validate_full_spdx_document

from cannery.bom.cyclonedx import cyclonedx, inventory_of_cyclonedx
from cannery.bom.formats import format_of
from cannery.bom.inventory import BuiltFrom, Inventory, Item
from cannery.bom.known_software import software
from cannery.bom.spdx import spdx
from cannery.errors import ConfigurationError, ImageError

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

FLASK = Item(
    "distribution",
    "flask",
    "3.1.0",
    "pkg:pypi/flask@3.1.0",
    "BSD-3-Clause",
    "0" * 64,
    ("/usr/local/lib/python3.13/site-packages/flask-3.1.0.dist-info",),
    left_out=("flask.cli", "flask.testing"),
)
ODD = Item("distribution", "odd", "0.1", "pkg:pypi/odd@0.1", "Do what you want")
OPENSSL = software(
    "OpenSSL", "3.5.7", origin="built from source", sources=(BuiltFrom("https://openssl.example/o.tar", "1" * 64),)
)
LIBRARY = Item("library", "libfoo", "", origin="bundled by odd 0.1", paths=("/a.so", "/b.so"))
PYTHON = software("Python", "3.13.5", kind="interpreter")
SAMPLE = Inventory("shop/api", "1.0", "linux/amd64", (FLASK, ODD, PYTHON, LIBRARY, LIBRARY, OPENSSL), "debian 13")
EMPTY = Inventory("nothing", "", "linux/arm64", ())


@pytest.mark.parametrize("inventory", [SAMPLE, EMPTY])
def test_cyclonedx_is_valid_and_reads_back(inventory: Inventory) -> None:
    made = cyclonedx(inventory)
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(made.decode()) is None
    assert inventory_of_cyclonedx(made) == inventory
    assert cyclonedx(inventory) == made


@pytest.mark.parametrize("inventory", [SAMPLE, EMPTY])
def test_spdx_is_valid(inventory: Inventory, tmp_path: Path) -> None:
    path = tmp_path / "made.spdx.json"
    path.write_bytes(spdx(inventory))
    assert validate_full_spdx_document(parse_file(str(path))) == []
    assert spdx(inventory) == path.read_bytes()


def test_another_inventory_has_another_serial_number() -> None:
    one, other = (json.loads(cyclonedx(each)) for each in (SAMPLE, EMPTY))
    assert one["serialNumber"] != other["serialNumber"]
    assert "timestamp" not in one["metadata"]


def test_what_a_distribution_has_mended_gets_no_cpe() -> None:
    assert software("OpenSSL", "3.0.22").cpe == "cpe:2.3:a:openssl:openssl:3.0.22:*:*:*:*:*:*:*"
    assert software("glibc", "2.36-9+deb12u14").cpe == ""
    assert software("OpenSSL", "3.0.22", packaged=True).cpe == ""


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"metadata": {"component": {"name": "x"}}}'])
def test_a_document_of_others_is_refused(text: str) -> None:
    with pytest.raises(ImageError, match="none of cannery's"):
        inventory_of_cyclonedx(text.encode())


def test_a_form_is_known_by_its_name_or_by_that_of_the_file() -> None:
    assert format_of(None, None) is None
    assert format_of(None, "bom.spdx.json") == "spdx"
    assert format_of(None, "bom.json") == "cyclonedx"
    assert format_of("spdx", "bom.json") == "spdx"
    with pytest.raises(ConfigurationError, match="no form"):
        format_of("cyclone", None)

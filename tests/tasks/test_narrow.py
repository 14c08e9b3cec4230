"""Tables on a narrow terminal: what stands in them stays readable."""

from __future__ import annotations

import pytest

from cannery.bom.inventory import Inventory, Item
from cannery.sizes.ownership import Owner
from cannery.sizes.parts import Bytes, ImageSizes, Part
from cannery.tasks.report.sbom import InventoryReport
from cannery.tasks.report.sizes import SizesReport

pytestmark = pytest.mark.once


@pytest.mark.parametrize("columns", [60, 80])
def test_names_in_a_table_of_sizes_give_up_their_kind_first(columns: int, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("COLUMNS", str(columns))
    names = ("libcrypto.so.3", "libsqlite3.so.0", "libc.so.6")
    parts = tuple(Part("runtime", Owner("libraries"), "shared library", name, Bytes(1000, 500)) for name in names)
    lines = [*SizesReport(ImageSizes("shop:latest", "linux/amd64", {"runtime": Bytes(3000, 1500)}, parts)).lines()]
    assert max(map(len, lines)) <= columns
    assert all(any(name in line for line in lines) for name in names)


def test_an_inventory_leaves_out_columns(monkeypatch: pytest.MonkeyPatch) -> None:
    items = (Item("library", "zerocopy-derive", "0.8.25", licence="MIT", origin="bundled by pydantic-core 2.50.5"),)
    report = InventoryReport(Inventory("shop:latest", "", "linux/amd64", items))
    monkeypatch.setenv("COLUMNS", "150")
    assert "bundled by" in "".join(report.lines())
    monkeypatch.setenv("COLUMNS", "80")
    assert max(map(len, report.lines())) <= 80

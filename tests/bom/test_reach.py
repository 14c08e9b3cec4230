"""What is not in an image is not affected, with the evidence; all else stays under investigation."""

from __future__ import annotations

import json
from typing import Any

import pytest

from cannery.bom.inventory import Inventory, Item
from cannery.bom.known_software import software
from cannery.bom.openvex import openvex
from cannery.bom.reach import Assessment, assessed
from cannery.bom.vulnerabilities import read_vulnerabilities
from cannery.errors import ConfigurationError

pytestmark = pytest.mark.once

FISH = Item("distribution", "fish", "2.0", "pkg:pypi/fish@2.0", left_out=("fish.cli", "fish.net.old"))
BARE = Item("distribution", "bare", "1.0", "pkg:pypi/bare@1.0", left_out=("bare",), bare=True)
PYTHON = software("Python", "3.13.5", kind="interpreter", left_out=("tarfile",))
LIBSSL = Item(
    "package", "libssl3t64", "3.5.7-1", "pkg:deb/debian/libssl3t64@3.5.7-1?arch=amd64&distro=debian-13&upstream=openssl"
)
IMAGE = Inventory("shop", "1.0", "linux/amd64", (BARE, FISH, PYTHON, LIBSSL), "debian 13")


def record(ecosystem: str = "PyPI", name: str = "fish", **affected: object) -> dict[str, Any]:
    package = {"ecosystem": ecosystem, "name": name}
    return {"id": "CVE-1", "modified": "2026-01-02T03:04:05Z", "affected": [{"package": package, **affected}]}


def statement(found: dict[str, Any]) -> Assessment:
    (made,) = assessed(read_vulnerabilities(json.dumps(found).encode(), "a list"), IMAGE)
    return made


def in_modules(*names: str) -> dict[str, Any]:
    return {"ecosystem_specific": {"imports": [{"attribute": "open", "modules": list(names)}]}}


EVENTS = [{"introduced": "1.0"}, {"fixed": "1.5"}, {"introduced": "3"}]
RANGE: dict[str, Any] = {"ranges": [{"type": "ECOSYSTEM", "events": EVENTS}]}
LAST: dict[str, Any] = {"ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"last_affected": "2.0"}]}]}


@pytest.mark.parametrize(
    ("found", "evidence"),
    [
        (record(name="shark"), "shark is not in the image, among whose 2 distributions it would be"),
        (record(name="bare"), "none of its modules"),
        (record(**in_modules("fish.cli.main")), "fish 2.0 is in the image without what has it: fish.cli.main"),
        (record(**in_modules("fish.cli", "fish.net.old")), "fish.cli, fish.net.old"),
        (record(ecosystem_specific={"affected_functions": ["fish.cli.run"]}), "fish.cli.run"),
        (record(**RANGE), "fish 2.0 is none of the affected versions"),
        (record(versions=["1.9"]), "none of the affected versions"),
        (record("PSF", "CPython", **in_modules("tarfile")), "python 3.13.5 is in the image without"),
        (record("Debian:13", "curl"), "curl is not in the image, among whose 1 packages"),
    ],
)
def test_what_is_absent_is_not_affected(found: dict[str, Any], evidence: str) -> None:
    made = statement(found)
    assert made.status == "not_affected"
    assert evidence in made.evidence


@pytest.mark.parametrize(
    ("found", "evidence"),
    [
        (record(), "fish 2.0 is in the image"),
        (record(name="Fish"), "fish 2.0 is in the image"),
        (record(**in_modules("fish.net")), "and in it fish.net"),
        (record(**in_modules("fish.cli", "fish.net")), "and in it fish.net"),
        (record(**in_modules("fish.clients")), "and in it fish.clients"),
        (record(ecosystem_specific={"affected_functions": ["open_pond"]}), "and in it open_pond"),
        (record(**LAST), "fish 2.0 is in the image"),
        (record(versions=["2.0.0"]), "fish 2.0 is in the image"),
        (record("PSF", "CPython", **in_modules("zipfile")), "and in it zipfile"),
        (record("Debian:13", "openssl"), "libssl3t64 3.5.7-1 is in the image"),
        (record("npm", "left-pad"), "no inventory is made of packages of npm"),
        ({"id": "CVE-2"}, "names no package"),
    ],
)
def test_what_is_there_stays_under_investigation(found: dict[str, Any], evidence: str) -> None:
    made = statement(found)
    assert made.status == "under_investigation"
    assert evidence in made.evidence


def test_a_list_may_be_osv_s_answer_osv_scanner_s_or_uv_s() -> None:
    one = record()
    (alone,) = read_vulnerabilities(json.dumps(one).encode(), "x")
    packages = [{"package": {"name": "fish"}, "vulnerabilities": [one]}]
    for document in ([one], {"vulns": [one]}, {"results": [{"packages": packages}]}):
        assert read_vulnerabilities(json.dumps(document).encode(), "x") == (alone,)
    audited = {
        "vulnerabilities": [{"dependency": {"name": "Fish", "version": "2.0"}, "id": "PYSEC-1", "aliases": ["C"]}]
    }
    (found,) = read_vulnerabilities(json.dumps(audited).encode(), "x")
    assert (found.name, found.aliases, found.affected[0].name) == ("PYSEC-1", ("C",), "fish")
    assert read_vulnerabilities(b"{}", "x") == ()


@pytest.mark.parametrize(
    "text", ["", "no json", '"text"', "3", '{"id": 3, "affected": 3}', '[{"no": "id"}]', '{"vulns": 1}']
)
def test_what_is_no_list_is_one_message(text: str) -> None:
    with pytest.raises(ConfigurationError, match=r"x\.json is no list of vulnerabilities"):
        read_vulnerabilities(text.encode(), "x.json")


def test_openvex_has_the_evidence_and_is_the_same_every_time() -> None:
    listed = [record(name="shark"), record()]
    found = tuple(assessed(read_vulnerabilities(json.dumps(listed).encode(), "x"), IMAGE))
    made = openvex(found, "team/shop", "sha256:abc", "registry.example/team/shop")
    assert made == openvex(found, "team/shop", "sha256:abc", "registry.example/team/shop")
    document = json.loads(made)
    assert (document["@context"], document["timestamp"]) == ("https://openvex.dev/ns/v0.2.0", "2026-01-02T03:04:05Z")
    there, absent = document["statements"]
    assert absent["justification"] == "vulnerable_code_not_present"
    assert "shark is not in the image" in absent["impact_statement"]
    assert there["status"] == "under_investigation"
    (product,) = there["products"]
    assert product["@id"] == "pkg:oci/shop@sha256:abc?repository_url=registry.example/team/shop"
    assert product["subcomponents"] == [{"@id": "pkg:pypi/fish@2.0"}]

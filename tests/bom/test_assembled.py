"""An inventory lists what is in an image, and nothing that isn't."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING

import pytest

from cannery.bom.assembled import SBOM_PATH, About, PlannedContents, inventory_of_layers
from cannery.bom.cyclonedx import cyclonedx
from cannery.bom.distributions import read_metadata
from cannery.bom.layer_contents import files_of_tree
from cannery.image.content import Inline
from cannery.image.tree import File, Tree

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.bom.inventory import Inventory

pytestmark = pytest.mark.once

ABOUT = About("shop", "1.0", "linux/amd64")
SITE = "/usr/local/lib/python3.13/site-packages"
FISH = "Metadata-Version: 2.4\nName: Fish.Tank\nVersion: 2.0\nLicense-Expression: MIT\n\nName: not this\n"
RECORD = (
    "fish/__init__.py,,\nfish/net.py,,\nfish/cli/__init__.py,,\nfish/cli/main.py,,\nfish_tank-2.0.dist-info/RECORD,,\n"
)
LIBC = b"\x7fELF\0GNU C Library (Debian GLIBC 2.41-12) stable release version 2.41.\n\0"
OPENSSL = b"\x7fELF" + bytes(100) + b"\0OpenSSL 3.5.7 9 Jun 2026\0"
STATUS = """Package: libssl3t64
Status: install ok installed
Architecture: amd64
Source: openssl
Version: 3.5.7-1~deb13u2

Package: gone
Status: deinstall ok config-files
Version: 1

"""
RELEASE = 'PRETTY_NAME="Debian GNU/Linux 13 (trixie)"\nID=debian\nVERSION_ID="13"\n'


def inventory(*layers: Mapping[str, bytes | str], planned: PlannedContents | None = None) -> Inventory:
    trees = [
        Tree({
            path: File(Inline(data.encode() if isinstance(data, str) else data)) for path, data in each.items()
        }) for each in layers
    ]  # fmt: skip
    return inventory_of_layers(ABOUT, map(files_of_tree, trees), planned)


def names(found: Inventory) -> list[str]:
    return [f"{item.kind} {item.name} {item.version}".rstrip() for item in found.items]


FISH_FILES: dict[str, bytes | str] = {
    f"{SITE}/fish_tank-2.0.dist-info/METADATA": FISH,
    f"{SITE}/fish_tank-2.0.dist-info/RECORD": RECORD,
    f"{SITE}/fish/__init__.pyc": b"1",
    f"{SITE}/fish/net.pyc": b"2",
}


def test_a_distribution_has_its_name_its_licence_its_files_and_what_it_lacks() -> None:
    (fish,) = inventory(FISH_FILES, {f"{SITE}/other.py": b"3"}).items
    assert (fish.name, fish.version, fish.purl, fish.licence) == (
        "fish-tank",
        "2.0",
        "pkg:pypi/fish-tank@2.0",
        "MIT",
    )
    assert fish.left_out == ("fish.cli",)
    assert fish.lacks("fish.cli.main")
    assert not fish.lacks("fish.clients")
    files = {**FISH_FILES, f"{SITE}/fish_tank-2.0.dist-info/METADATA": FISH}
    lines = [
        f"{hashlib.sha256(data if isinstance(data, bytes) else data.encode()).hexdigest()}  {path}\n"
        for path, data in sorted(files.items())
    ]
    assert fish.digest == hashlib.sha256("".join(lines).encode()).hexdigest()


def test_what_a_later_layer_takes_away_is_not_there() -> None:
    folder = f"{SITE}/.wh.fish_tank-2.0.dist-info"
    assert inventory(FISH_FILES, {folder: b""}).items == ()
    assert inventory(FISH_FILES, {f"{SITE}/.wh..wh..opq": b""}).items == ()
    assert len(inventory({folder: b""}, FISH_FILES).items) == 1


def test_packages_have_their_files_and_a_library_is_listed_once() -> None:
    files: dict[str, bytes | str] = {
        "/etc/os-release": RELEASE,
        "/var/lib/dpkg/status": STATUS,
        "/var/lib/dpkg/info/libssl3t64:amd64.list": "/.\n/usr/lib/x86_64-linux-gnu/libcrypto.so.3\n",
        "/lib/x86_64-linux-gnu/libcrypto.so.3": OPENSSL,
        "/usr/lib/x86_64-linux-gnu/libc.so.6": LIBC,
    }
    found = inventory(files)
    assert names(found) == ["library glibc 2.41-12", "package libssl3t64 3.5.7-1~deb13u2"]
    assert found.system == "debian 13"
    assert found.items[1].purl == (
        "pkg:deb/debian/libssl3t64@3.5.7-1~deb13u2?arch=amd64&distro=debian-13&upstream=openssl"
    )


def test_packages_of_distroless_images_and_of_alpine_are_found() -> None:
    stanza = "Package: libc6\nVersion: 2.41-12\nArchitecture: amd64\nCannery-Files: /usr/lib/libc.so.6\n\n"
    found = inventory({"/var/lib/dpkg/status.d/libc6": stanza, "/usr/lib/libc.so.6": LIBC})
    assert names(found) == ["package libc6 2.41-12"]
    installed = "P:musl\nV:1.2.5-r0\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:ld-musl-x86_64.so.1\n\n"
    release = "ID=alpine\nVERSION_ID=3.20.3\n"
    files: dict[str, bytes | str] = {
        "/lib/apk/db/installed": installed,
        "/etc/os-release": release,
        "/lib/ld-musl-x86_64.so.1": b"\x7fELF",
    }
    (musl,) = inventory(files).items
    assert musl.purl == "pkg:apk/alpine/musl@1.2.5-r0?arch=x86_64&distro=alpine-3.20.3&upstream=musl"
    assert musl.licence == "MIT"


def test_what_a_wheel_brings_along_is_listed_as_far_as_it_is_still_there() -> None:
    bom = json.dumps(
        {
            "bomFormat": "CycloneDX",
            "components": [
                {"name": "fish-tank", "version": "2.0", "purl": "pkg:pypi/fish-tank@2.0"},
                {"name": "libgfortran", "version": "8.5.0", "purl": "pkg:rpm/almalinux/libgfortran@8.5.0"},
                {"name": "libquadmath", "version": "8.5.0", "purl": "pkg:rpm/almalinux/libquadmath@8.5.0"},
            ],
        }
    )
    libs = "fish_tank.libs/libgfortran-040039e1.so.5.0.0,,\nfish_tank.libs/libquadmath-2284e583.so.0,,\n"
    files: dict[str, bytes | str] = {
        f"{SITE}/fish_tank-2.0.dist-info/METADATA": FISH,
        f"{SITE}/fish_tank-2.0.dist-info/RECORD": f"fish/_x.so,,\n{libs}",
        f"{SITE}/fish_tank-2.0.dist-info/sboms/auditwheel.cdx.json": bom,
        f"{SITE}/fish/_x.so": b"\x7fELF",
        f"{SITE}/fish_tank.libs/libgfortran-040039e1.so.5.0.0": b"\x7fELF",
    }
    found = inventory(files)
    assert names(found) == ["distribution fish-tank 2.0", "library libgfortran 5.0.0", "library libgfortran 8.5.0"]
    assert {item.origin for item in found.of_kind("library")} == {"bundled by fish-tank 2.0"}
    del files[f"{SITE}/fish_tank.libs/libgfortran-040039e1.so.5.0.0"], files[f"{SITE}/fish/_x.so"]
    assert names(inventory(files)) == ["distribution fish-tank 2.0"]


def test_what_is_inside_an_executable_is_told_by_whoever_made_it_and_then_by_the_image() -> None:
    metadata = read_metadata(FISH, RECORD)
    assert metadata is not None
    program: dict[str, bytes | str] = {
        "/usr/local/bin/shop": b"\x7fELF\0cannery components: Python=3.13.5 musl=1.2.5\0"
    }
    beside = Tree({"/usr/share/sbom/fish_tank-2.0.dist-info/METADATA": File(Inline(FISH.encode()))})
    planned = PlannedContents(
        {"fish-tank": metadata},
        frozenset({"os", "ssl", "tarfile"}),
        frozenset({"sys"}),
        "/usr/local/bin/shop",
        frozenset({"fish", "os"}),
        beside=beside,
    )
    found = inventory(program, planned=planned)
    assert names(found) == ["distribution fish-tank 2.0", "interpreter python 3.13.5", "library musl 1.2.5"]
    assert found.items[0].left_out == ("fish.cli", "fish.net")
    assert found.items[1].left_out == ("ssl", "tarfile")
    metadata_beside = {"/usr/share/sbom/fish_tank-2.0.dist-info/METADATA": FISH}
    assert inventory(program, {SBOM_PATH: cyclonedx(found), **metadata_beside}) == found


def test_what_a_bill_of_material_of_the_base_tells_of_files_that_are_gone_is_not_listed() -> None:
    base = inventory(FISH_FILES)
    told = {SBOM_PATH: cyclonedx(base)}
    assert (
        inventory(FISH_FILES, told, {f"{SITE}/.wh.fish_tank-2.0.dist-info": b"", f"{SITE}/.wh.fish": b""}).items == ()
    )
    assert inventory({SBOM_PATH: b"{}"}).items == ()


@pytest.mark.parametrize(
    ("fields", "licence"),
    [
        ("License-Expression: MIT OR Apache-2.0\n", "MIT OR Apache-2.0"),
        ("License: BSD-3-Clause\nClassifier: License :: OSI Approved :: MIT License\n", "BSD-3-Clause"),
        ("License: MIT License\nClassifier: License :: OSI Approved :: MIT License\n", "MIT"),
        ("License: Do what you want\n", "Do what you want"),
        ("Classifier: License :: OSI Approved :: BSD License\n", "BSD License"),
        ("License: UNKNOWN\n", ""),
        ("", ""),
    ],
)
def test_a_licence_is_an_expression_where_the_metadata_mean_one(fields: str, licence: str) -> None:
    found = read_metadata(f"Name: fish\nVersion: 1\n{fields}")
    assert found is not None
    assert found.licence == licence

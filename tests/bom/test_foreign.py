"""Whatever the files of an image say of themselves, an inventory comes of it."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannery.bom.assembled import SBOM_PATH, About, inventory_of_layers
from cannery.bom.cyclonedx import cyclonedx
from cannery.bom.inventory import Inventory, Item
from cannery.bom.layer_contents import files_of_tree
from cannery.bom.reach import assessed
from cannery.bom.spdx import spdx
from cannery.bom.vulnerabilities import read_vulnerabilities
from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.image.tree import File, Tree
from tests.support.foreign import QUICK, damaged, edited

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

SITE = "/usr/local/lib/python3.13/site-packages"
FISH = Item("distribution", "fish", "1.0", "pkg:pypi/fish@1.0", "MIT", "0" * 64, (f"{SITE}/fish-1.0.dist-info",))
BOM: dict[str, Any] = {
    "components": [
        {
            "name": "libfish",
            "version": "1.0",
            "purl": "pkg:rpm/almalinux/libfish@1.0",
            "licenses": [{"license": {"id": "MIT"}}],
        }
    ],
    "packages": [
        {
            "name": "libfish",
            "versionInfo": "1.0",
            "licenseDeclared": "MIT",
            "externalRefs": [{"referenceType": "purl", "referenceLocator": "pkg:rpm/x@1"}],
        }
    ],
}
TEXTS = {
    f"{SITE}/fish-1.0.dist-info/METADATA": "Name: fish\nVersion: 1.0\nLicense: MIT\nClassifier: License :: OSI\n",
    f"{SITE}/fish-1.0.dist-info/RECORD": 'fish/__init__.py,sha256=x,1\n"fish/_x.so",,\nfish.libs/libfish-00.so,,\n',
    f"{SITE}/fish-1.0.dist-info/top_level.txt": "fish\n",
    "/etc/os-release": 'ID=debian\nVERSION_ID="13"\nPRETTY_NAME="Debian"\n',
    "/var/lib/dpkg/status": "Package: libc6\nStatus: install ok installed\nVersion: 2:1.0\nSource: glibc\n more\n\n",
    "/var/lib/dpkg/status.d/libfish": "Package: libfish\nVersion: 1\nArchitecture: amd64\nCannery-Files: /a /b\n",
    "/var/lib/dpkg/info/libc6:amd64.list": "/.\n/lib\n/lib/libc.so.6\n",
    "/lib/apk/db/installed": "P:musl\nV:1.2\nA:x86_64\nL:MIT\no:musl\nF:lib\nR:libc.so\n\n",
}
DOCUMENTS = {
    f"{SITE}/fish-1.0.dist-info/sboms/fish.cdx.json": BOM,
    SBOM_PATH: json.loads(cyclonedx(Inventory("shop", "1", "linux/amd64", (FISH, FISH)))),
}
LIST = {
    "vulns": [
        {
            "id": "CVE-1",
            "modified": "2026-01-01T00:00:00Z",
            "aliases": ["GHSA-1"],
            "affected": [
                {
                    "package": {"ecosystem": "PyPI", "name": "fish"},
                    "versions": ["1.0"],
                    "ranges": [{"type": "ECOSYSTEM", "events": [{"introduced": "0"}, {"fixed": "2"}]}],
                    "ecosystem_specific": {"imports": [{"attribute": "f", "modules": ["fish"]}]},
                }
            ],
        }
    ],
    "vulnerabilities": [{"dependency": {"name": "fish", "version": "1"}, "id": "CVE-1", "aliases": ["x"]}],
}


def inventory(files: Mapping[str, bytes]) -> Inventory:
    tree = Tree({path: File(Inline(data)) for path, data in files.items()})
    return inventory_of_layers(About("shop", "1", "linux/amd64"), [files_of_tree(tree)])


@QUICK
@given(path=st.sampled_from(sorted({*TEXTS, *DOCUMENTS})), data=st.data())
def test_files_that_tell_of_others(path: str, data: st.DataObject) -> None:
    files = {name: text.encode() for name, text in TEXTS.items()}
    files |= {name: json.dumps(document).encode() for name, document in DOCUMENTS.items()}
    files |= {f"{SITE}/fish/_x.so": b"\x7fELF", f"{SITE}/fish.libs/libfish-00.so": b"\x7fELF"}
    if path in DOCUMENTS and data.draw(st.booleans()):
        files[path] = json.dumps(data.draw(edited(DOCUMENTS[path]))).encode()
    else:
        files[path] = data.draw(damaged(files[path]))
    found = inventory(files)
    assert cyclonedx(found)
    assert spdx(found)


@QUICK
@given(data=st.data())
def test_lists_of_vulnerabilities(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(LIST)))
    document = data.draw(edited({name: LIST[name]}))
    try:
        found = read_vulnerabilities(json.dumps(document).encode(), "a list")
    except ConfigurationError:
        return
    assert [*assessed(found, Inventory("shop", "1", "linux/amd64", (FISH,)))] or not found

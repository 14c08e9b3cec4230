"""Who may look for CA certificates, and what of them goes in."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import TYPE_CHECKING

import certifi
import pytest

from cannery.image.content import Inline, OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.trees.certificates import looks_for_certificates
from cannery.trees.system import without_remarks

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace


@pytest.mark.parametrize(
    ("content", "looking"),
    [
        (b"\x7fELF" + bytes((1 << 20) - 10) + b"SSL_CERT_FILE", True),  # where two pieces meet
        (b"open('/etc/ssl/certs/ca-certificates.crt')", True),
        (b"for name in os.listdir('/etc/ssl/certs'): ...", True),
        (b"'''for example  cert = /etc/ssl/certs/stunnel.pem'''", False),
        (b"import ssl", False),
    ],
)
def test_what_names_a_place_of_certificates_may_look_there(workspace: Workspace, content: bytes, looking: bool) -> None:
    tree = LazyTree(str(content[-40:]), lambda: Tree({"/x": File(Inline(content))}))
    assert looks_for_certificates([LazyTree("nothing", Tree), tree], workspace) is looking
    assert looks_for_certificates([tree], workspace) is looking


def test_certificates_are_all_there_without_remarks() -> None:
    bundle = Path(certifi.where())
    plain = without_remarks(OnDisk(bundle, bundle.stat().st_size)).data
    assert len(plain) < bundle.stat().st_size
    found = []
    for text in (bundle.read_text(), plain.decode()):
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        context.load_verify_locations(cadata=text)
        found.append(sorted(context.get_ca_certs(binary_form=True)))
    assert found[0] == found[1]

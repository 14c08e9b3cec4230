"""The contents of a layer, read from its archive (OCI image-spec v1.1, layer.md).

Nothing is unpacked: a file is looked at as it passes.
"""

from __future__ import annotations

import posixpath
import stat
from dataclasses import replace
from functools import partial
from typing import TYPE_CHECKING, BinaryIO

from cannery.audit.contents import LayerContents, Node, NodeFacts
from cannery.audit.provenance import may_be_own
from cannery.audit.scan import scan
from cannery.errors import ImageError
from cannery.image.layer import OPAQUE, WHITEOUT
from cannery.image.tar import members
from cannery.secrets.budget import Budget
from cannery.secrets.search import secrets_in_words

if TYPE_CHECKING:
    import tarfile
    from collections.abc import Callable

    from cannery.audit.contents import Kind

__all__ = ["read_layer"]

_MOST = 1_000_000  # files of a layer: those of real ones are far fewer
_CAPABILITY = "SCHILY.xattr.security.capability"


def read_layer(archive: BinaryIO, *, readable: bool = False, budget: Budget | None = None) -> LayerContents:
    """The contents of the layer in ``archive``; with ``readable`` also the texts that people can read in its files.

    ``budget`` says how much of what is packed in its files may be unpacked.
    """
    look = partial(scan, budget=budget or Budget())
    nodes: dict[str, Node] = {}
    replaced: list[Node] = []
    whiteouts: set[str] = set()
    opaque: set[str] = set()
    for number, (member, content) in enumerate(members(archive)):
        if number >= _MOST:
            raise ImageError(
                f"a layer has more than {_MOST:,} files", step="don't trust this image, or tell who made it"
            )
        path = posixpath.normpath(f"/{member.name.lstrip('/')}")
        folder, name = posixpath.split(path)
        if name == OPAQUE:
            opaque.add(folder)
        elif name.startswith(WHITEOUT):
            whiteouts.add(posixpath.join(folder, name.removeprefix(WHITEOUT)))
            if member.size:  # what no container sees, and everybody who has the image
                replaced.append(_node(path, member, content, nodes, look))
        elif path != "/":
            node = _node(path, member, content, nodes, partial(look, readable=readable and may_be_own(path)))
            if path in nodes and nodes[path].kind == "file":
                replaced.append(nodes[path])
            nodes[path] = node
    return LayerContents(nodes, replaced, frozenset(whiteouts), frozenset(opaque))


def _node(
    path: str,
    member: tarfile.TarInfo,
    content: BinaryIO | None,
    nodes: dict[str, Node],
    look: Callable[..., NodeFacts],
) -> Node:
    facts = NodeFacts()
    target = member.linkname
    if content is not None:
        facts = look(path, content, member.size, thorough=may_be_own(path))
    elif member.islnk():
        target = posixpath.normpath(f"/{member.linkname.lstrip('/')}")
        facts = nodes[target].facts if target in nodes else facts
    if told := secrets_in_words(path, member.linkname, *member.pax_headers.values()):
        facts = replace(facts, secrets=tuple(dict.fromkeys((*facts.secrets, *told))))
    return Node(
        path=path,
        kind=_kind(member),
        mode=stat.S_IMODE(member.mode),
        uid=member.uid,
        gid=member.gid,
        size=member.size,
        target=target,
        capabilities=_CAPABILITY in member.pax_headers,
        facts=facts,
    )


def _kind(member: tarfile.TarInfo) -> Kind:
    if member.isdir():
        return "folder"
    if member.issym():
        return "link"
    return "device" if member.isdev() else "file"  # a hard link is the file that it names

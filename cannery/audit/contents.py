"""An image as rules see it: a node for each path of each layer, with facts about the content."""

from __future__ import annotations

import posixpath
from dataclasses import dataclass, field
from functools import cached_property
from typing import TYPE_CHECKING, Any, Literal

from packaging.utils import canonicalize_name

from cannery.audit.configuration import mapping_of, text_of, texts_of
from cannery.image.paths import follow
from cannery.python.program_names import is_python

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from cannery.elf.components import Component
    from cannery.elf.dynamic import Elf
    from cannery.secrets.kind import Secret

__all__ = ["ElfFacts", "ImageContents", "LayerContents", "Node", "NodeFacts", "PlacedNode"]

_PACKAGES = ("/site-packages/", "/dist-packages/")
_SHARED = frozenset(  # folders whose files may be anybody's
    ["/", "/bin", "/etc", "/home", "/lib", "/opt", "/root", "/tmp", "/usr", "/usr/bin", "/usr/local", "/usr/local/bin"]  # noqa: S108
)
Kind = Literal["file", "folder", "link", "device"]


@dataclass(frozen=True, slots=True)
class ElfFacts:
    """Facts from the headers of an ELF file."""

    links: Elf | None  # its dynamic section; None where no loader is needed: object files, static programs
    machine: str  # EM_X86_64
    debug: tuple[str, ...] = ()  # names of sections for debuggers
    carries: str = ""  # an archive inside it, as "PyInstaller's archive of modules"


@dataclass(frozen=True, slots=True)
class NodeFacts:
    """Facts about the content of a file."""

    elf: ElfFacts | None = None
    secrets: tuple[Secret, ...] = ()
    is_partial: bool = False  # it unpacks to more than was looked at
    build_paths: tuple[str, ...] = ()  # paths of the machine that built it
    source_lines: tuple[str, ...] = ()  # of Python, in an ELF file
    named_sources: tuple[str, ...] = ()  # source files, or folders of them, that metadata names
    packed_sources: tuple[str, ...] = ()  # source files that an archive has, or that is compressed
    maps_sources: bool = False  # a source map that has the sources themselves in it
    starts_only: bool = False  # a module that imports names and calls them at most
    initializes: tuple[str, ...] = ()  # modules whose PyInit_ function it has
    superusers: tuple[str, ...] = ()  # names of users with the number 0, in /etc/passwd
    components: tuple[Component, ...] = ()  # of what is in it, by name and version
    readable: tuple[str, ...] = ()  # texts that people can read in it; only where those were asked for


@dataclass(frozen=True, slots=True)
class Node:
    """A path of one layer."""

    path: str  # absolute
    kind: Kind  # a hard link is a file
    mode: int = 0o644
    uid: int = 0
    gid: int = 0
    size: int = 0  # bytes
    target: str = ""  # of a link
    capabilities: bool = False  # has file capabilities (capabilities(7))
    facts: NodeFacts = field(default_factory=NodeFacts)


@dataclass(frozen=True, slots=True)
class LayerContents:
    """A layer's nodes, and the paths that it removes from the layers below (OCI image-spec v1.1, layer.md)."""

    nodes: Mapping[str, Node]  # by path
    replaced: Sequence[Node] = ()  # that have another of the same path behind them in the archive
    whiteouts: frozenset[str] = frozenset()  # paths that are removed
    opaque: frozenset[str] = frozenset()  # folders that are emptied


@dataclass(frozen=True, slots=True)
class PlacedNode:
    """A node in its layer."""

    node: Node
    layer: int  # counted from 0
    hidden: bool  # a later layer removes or replaces it


@dataclass(frozen=True)
class ImageContents:
    """An image, read once."""

    name: str
    config: Mapping[str, Any]  # OCI image-spec v1.1, config.md
    layers: Sequence[LayerContents]
    distribution: str | None = None  # the app's own, where the project is known

    @property
    def start(self) -> Mapping[str, Any]:
        """The configuration's part ``config``, which says how containers start."""
        return mapping_of(self.config.get("config"))

    @property
    def user(self) -> str:
        """The user that the program starts as, without a group; empty for none."""
        return text_of(self.start.get("User")).partition(":")[0].strip()

    @cached_property
    def command(self) -> tuple[str, ...]:
        """The words of the entry point and of the command."""
        return (*texts_of(self.start.get("Entrypoint")), *texts_of(self.start.get("Cmd")))

    @property
    def folder(self) -> str:
        """The working directory; empty for none."""
        return text_of(self.start.get("WorkingDir"))

    @cached_property
    def environment(self) -> Mapping[str, str]:
        """The image's environment variables."""
        return dict(entry.partition("=")[::2] for entry in texts_of(self.start.get("Env")))

    @cached_property
    def visible(self) -> Mapping[str, PlacedNode]:
        """The nodes that a container sees, by path."""
        seen: dict[str, PlacedNode] = {}
        for number, layer in enumerate(self.layers):
            _take_away(seen, layer)
            seen |= {path: PlacedNode(node, number, hidden=False) for path, node in layer.nodes.items()}
        return seen

    def places(self) -> Iterator[PlacedNode]:
        """Every node of every layer, those that later layers hide among them."""
        for number, layer in enumerate(self.layers):
            for path, node in sorted(layer.nodes.items()):
                now = self.visible.get(path)
                yield PlacedNode(node, number, hidden=now is None or now.layer != number)
            yield from (PlacedNode(node, number, hidden=True) for node in layer.replaced)

    def files(self) -> Iterator[PlacedNode]:
        """Every regular file of every layer."""
        return (place for place in self.places() if place.node.kind == "file")

    def own(self, path: str) -> bool:
        """True for the app's own files, False for those of dependencies and of the system."""
        if any(path.startswith(f"{root}/") for root in self._own_packages):
            return True
        if any(mark in path for mark in (*_PACKAGES, "/node_modules/")):
            return False
        return path in self._starts or any(path.startswith(f"{root}/") for root in self._own_roots)

    def resolve(self, path: str) -> str | None:
        """The path that ``path`` leads to once its links are followed; None where nothing is there."""
        return follow(path, self._look)

    def _look(self, path: str) -> str | bool:
        """The target of the link at ``path``; whether there is anything, where that's no link."""
        place = self.visible.get(path)
        return place.node.target if place and place.node.kind == "link" else path in self._known

    @cached_property
    def _known(self) -> frozenset[str]:
        """All paths, with those of folders that no layer names."""
        folders = {posixpath.dirname(path) for path in self.visible}
        while above := {posixpath.dirname(path) for path in folders} - folders:
            folders |= above
        return frozenset(self.visible) | folders

    @cached_property
    def _starts(self) -> frozenset[str]:
        """The files that the entry point names, less Python and the programs of the system."""
        paths = {posixpath.normpath(posixpath.join(self.folder or "/", word)) for word in self.command}
        return frozenset(
            path
            for path in paths & self.visible.keys()
            if not path.startswith(("/bin/", "/usr/bin/")) and not is_python(posixpath.basename(path))
        )

    @cached_property
    def _own_roots(self) -> frozenset[str]:
        """The working directory and the folders of ``PYTHONPATH`` and of the script, less :data:`_SHARED` ones."""
        named = [self.folder, *self.environment.get("PYTHONPATH", "").split(":")]
        scripts = [posixpath.dirname(path) for path in self._starts if path.endswith((".py", ".pyc", ".pyz"))]
        roots = (posixpath.normpath(each) for each in (*named, *scripts) if each.startswith("/"))
        return frozenset(root for root in roots if root not in _SHARED and "/lib/python" not in root)

    @cached_property
    def _own_packages(self) -> frozenset[str]:
        """The folders of the app's own distribution in site-packages, where it's installed as dependencies are."""
        if self.distribution is None:
            return frozenset()
        name = canonicalize_name(self.distribution)
        folders = {posixpath.dirname(path) for path in self._all_paths if any(mark in path for mark in _PACKAGES)}
        return frozenset(
            folder
            for folder in folders
            if posixpath.dirname(folder).endswith(("/site-packages", "/dist-packages"))
            and canonicalize_name(posixpath.basename(folder).partition("-")[0]) == name
        )

    @cached_property
    def _all_paths(self) -> frozenset[str]:
        return frozenset(path for layer in self.layers for path in layer.nodes)


def _take_away(seen: dict[str, PlacedNode], layer: LayerContents) -> None:
    """Remove from ``seen`` what ``layer`` deletes or replaces."""
    gone = layer.whiteouts | {path for path, node in layer.nodes.items() if node.kind != "folder"}
    for path in [path for path in seen if _is_below(path, gone, itself=True) or _is_below(path, layer.opaque)]:
        del seen[path]


def _is_below(path: str, folders: frozenset[str], *, itself: bool = False) -> bool:
    if itself and path in folders:
        return True
    while path != "/":
        path = posixpath.dirname(path)
        if path in folders:
            return True
    return False

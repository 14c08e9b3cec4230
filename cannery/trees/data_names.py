"""Names in an app's own files of settings, some of which may be modules: ``pyramid.includes = pyramid_jinja2``."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.image.content import Content
    from cannery.trees.app import AppTree
    from cannery.workspace.workspace import Workspace

__all__ = ["data_names", "names_in_settings"]

_SETTINGS: Final = (".cfg", ".conf", ".ini", ".json", ".toml", ".yaml", ".yml")
_MOST: Final = 200_000  # bytes: what is larger has other data
_DOTTED: Final = re.compile(r"(?<![\w./@-])[A-Za-z_]\w*(?:[.:][A-Za-z_]\w*)+(?![\w/@-])")
_WORD: Final = re.compile(r"(?<![\w./@-])[A-Za-z]\w*_\w+(?![\w/@-])")
_VALUE: Final = re.compile(
    r"""^[^\S\n]*(?:["']?[\w.-]+["']?\s*[:=]\s*|-\s*)["']?([A-Za-z_]\w*)["']?,?\s*$""", re.MULTILINE
)


def data_names(own: AppTree, workspace: Workspace) -> tuple[str, ...]:
    """The names in the files of settings that go in with the app: programs load plugins and classes by them."""
    key = key_of("data names", code_key(__name__), own.code.key, own.resources.key)
    known = workspace.cache.recall("data-names", key)
    if known is None:
        files = (*own.code.tree.files(), *own.resources.tree.files())
        small = (file.content for path, file in files if path.endswith(_SETTINGS) and file.content.size <= _MOST)
        known = {"names": sorted({name for content in small for name in names_in_settings(_text(content))})}
        workspace.cache.remember("data-names", key, known)
    return tuple(known["names"])


def names_in_settings(text: str) -> Iterator[str]:
    """Dotted names, words with an underscore, and words that are all of a value: other words are prose."""
    yield from _DOTTED.findall(text)
    yield from _WORD.findall(text)
    yield from _VALUE.findall(text)


def _text(content: Content) -> str:
    with content.open() as stream:
        return stream.read().decode(errors="replace")

"""The facts about one source of the project: what it imports, what its strings may name, what it asks of sources."""

from __future__ import annotations

import ast
import re
from dataclasses import dataclass, field
from itertools import pairwise
from typing import TYPE_CHECKING

from cannery.trees.path_words import path_words
from cannery.trees.programs_started import programs_started
from cannery.trees.source_listings import Listing, listing_of

if TYPE_CHECKING:
    from collections.abc import Collection, Iterator

__all__ = ["CodeFacts", "code_facts", "names_in"]

_SOURCE_READERS = {"findsource", "getsource", "getsourcelines"}  # of inspect
_PLAIN = re.compile(r"[\w-]+")
_SOURCE = re.compile(r"[\w./-]*\w\.py")
_SELDOM_READ = ("__init__.py", "__main__.py")  # what compares names of files has these in it
_LONGEST = 200  # letters of a string that may be a name
_VARIABLE = re.compile(r"[{%*?\[]")  # where a template or a pattern stops being the name of a file
_WORD = re.compile(r"[^\s<>|\"'`\\]+(?: [^\s<>|\"'`\\]+)*/?")


@dataclass(frozen=True, slots=True)
class CodeFacts:
    """What one source says of other files."""

    imports: tuple[str, ...] = ()  # top-level modules that it imports or runs, anywhere in it
    strings: tuple[str, ...] = ()  # those that begin with a name of the project: "data/x.csv", "app.main:app", "data/"
    reads_source: int = 0  # the line where it first asks for the source of something; 0 for none
    listing: Listing = field(default_factory=Listing)  # where it looks for *.py
    sources: tuple[str, ...] = ()  # files in its strings that may be read as sources: "config.py"
    programs: tuple[tuple[str, int], ...] = ()  # other programs that it starts, each with its first line
    modules: tuple[str, ...] = ()  # in packages, that it imports from: "package.module", "..module", or maybe ".name?"
    paths: tuple[str, ...] = ()  # names of the project in its strings that stand where a path does


def code_facts(tree: ast.Module, names: frozenset[str]) -> CodeFacts:
    """The facts about the source of ``tree``; ``names`` are those of the project's files and folders."""
    imports: set[str] = set()
    modules: set[str] = set()
    lines: list[int] = []
    for node in ast.walk(tree):
        imports.update(_run(node))
        modules.update(_modules(node))
        if isinstance(node, ast.Import):
            imports.update(alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level and node.module:
            imports.add(node.module.partition(".")[0])
            if node.module == "inspect" and not _SOURCE_READERS.isdisjoint(alias.name for alias in node.names):
                lines.append(node.lineno)
        elif isinstance(node, ast.Attribute) and node.attr in _SOURCE_READERS:
            lines.append(node.lineno)
    texts = set(_strings(tree))
    strings = {name for text in texts for name in names_in(text, names)}
    sources = {text.lstrip("./") for text in texts if _SOURCE.fullmatch(text) and not text.endswith(_SELDOM_READ)}
    return CodeFacts(
        imports=tuple(sorted(imports)),
        strings=tuple(sorted(strings)),
        reads_source=min(lines, default=0),
        listing=listing_of(tree),
        sources=tuple(sorted(sources)),
        programs=programs_started(tree),
        modules=tuple(sorted(name for name in modules if name.startswith(".") or name.partition(".")[0] in names)),
        paths=tuple(sorted(path_words(tree) & names)),
    )


def _modules(node: ast.AST) -> Iterator[str]:
    """The modules below the top level that a statement imports from; a name of a package itself may be no module."""
    match node:
        case ast.Import(names=aliases):
            yield from (alias.name for alias in aliases if "." in alias.name)
        case ast.ImportFrom(module=str(module), level=level) if level or "." in module:
            yield f"{'.' * level}{module}"
        case ast.ImportFrom(module=None, names=aliases, level=level):
            yield from (f"{'.' * level}{alias.name}?" for alias in aliases)


def _run(node: ast.AST) -> Iterator[str]:
    """The top-level modules that a command names: ``[sys.executable, "-m", "package.worker"]``."""
    words = node.elts if isinstance(node, ast.List | ast.Tuple) else node.args if isinstance(node, ast.Call) else []
    for pair in pairwise(words):
        match pair:
            case ast.Constant(value="-m"), ast.Constant(value=str(name)):
                yield name.partition(".")[0]


def names_in(text: str, names: Collection[str]) -> Iterator[str]:
    """``text`` itself where it begins with one of ``names``, as a path or as a module: at most one name.

    Of a template or a pattern, such as ``data/*.csv``, the folder is what is named.
    """
    text = text.removeprefix("./")
    if (gap := _VARIABLE.search(text)) is not None:
        text = text[: text.rfind("/", 0, gap.start()) + 1]
    if 0 < len(text) <= _LONGEST and _WORD.fullmatch(text):
        first = text.partition("/")[0]
        if first in names or re.split(r"[.:]", first, maxsplit=1)[0] in names:
            yield text


def _keys(tree: ast.Module) -> Iterator[ast.AST | None]:
    """The expressions by which something is looked up, or which are compared."""
    for node in ast.walk(tree):
        match node:
            case ast.Subscript(slice=key):
                yield key
            case ast.Dict(keys=keys):
                yield from keys
            case ast.Compare(left=left, comparators=others):
                yield from (left, *others)
            case ast.Call(func=ast.Attribute(attr="get" | "pop" | "setdefault"), args=[key, *_]):
                yield key
            case ast.Call(func=ast.Name(id="getattr" | "hasattr" | "setattr"), args=[_, key, *_]):
                yield key


def _strings(tree: ast.Module) -> Iterator[str]:
    """The strings of a source; a part of a longer one as far as that is certain, as ``data/`` of ``f"data/{name}"``.

    A word that is a key, or compared with something, is no file: ``answer["data"]``.
    """
    parts = {id(node) for node in _keys(tree) if isinstance(node, ast.Constant) and _PLAIN.fullmatch(str(node.value))}
    for node in ast.walk(tree):
        match node:
            case ast.JoinedStr(values=values):
                for position, value in enumerate(values):
                    if isinstance(value, ast.Constant) and isinstance(value.value, str):
                        parts.add(id(value))
                        text = value.value.lstrip("/") if position else value.value
                        yield text if value is values[-1] else text[: text.rfind("/") + 1]
            case ast.BinOp(op=ast.Add(), right=ast.Constant(value=str(text)) as constant):
                parts.add(id(constant))
                yield text.lstrip("/")  # what comes before may be a folder
            case ast.BinOp(op=ast.Add(), left=ast.Constant(value=str(text)) as constant):
                parts.add(id(constant))
                yield text[: text.rfind("/") + 1]
            case ast.Constant(value=str(text)) if id(node) not in parts:
                yield text

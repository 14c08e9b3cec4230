"""Run by PyInstaller, under the app's own interpreter: makes the bundle that ``bundle.json`` describes.

Writes down what came of it in ``contents.json``: the modules with their sizes, the imports that found nothing, and the
files that were taken from the machine.
"""

from __future__ import annotations

import json
import runpy
import sys
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import PyInstaller.hooks
from PyInstaller.archive.readers import ZlibArchiveReader
from PyInstaller.building.api import COLLECT, EXE, PYZ
from PyInstaller.building.build_main import Analysis
from PyInstaller.config import CONF
from PyInstaller.depend import bindepend
from PyInstaller.lib.modulegraph.modulegraph import ModuleGraph

if TYPE_CHECKING:
    from collections.abc import Callable

Toc = list[tuple[str, str, str]]  # destination or module, source, type code

NO_FILE = "-"  # where a namespace package has its file
NOT_FOUND = {"MissingModule", "InvalidSourceModule", "InvalidCompiledModule", "InvalidRelativeImport"}


def is_below(path: str, folder: str) -> bool:
    """Whether ``path`` lies in ``folder``, whichever way both are written."""
    return resolved(path).is_relative_to(resolved(folder))


@cache
def resolved(path: str) -> Path:
    """The path with no links in it, looked up once: each file is compared with some folders."""
    return Path(path).resolve()


def module_of(entry: tuple[str, str, str]) -> str:
    """The module behind an entry; extension modules have paths, and ``python3.11/lib-dynload`` before their names."""
    name, _, code = entry
    if code != "EXTENSION":
        return name
    path = name.partition("/lib-dynload/")[2] or name
    return path.partition(".")[0].replace("/", ".").removesuffix(".__init__")


def with_hooks() -> set[str]:
    """The modules that PyInstaller has hooks for: what these bring in, no import shows.

    Of Python's own modules that's true of the encodings alone.
    """
    folders = [Path(PyInstaller.hooks.__file__).parent, *map(Path, contributed())]
    names = {path.stem[len("hook-") :] for folder in folders for path in folder.glob("hook-*.py")}
    return {name for name in names if name == "encodings" or name.partition(".")[0] not in sys.stdlib_module_names}


def contributed() -> list[str]:
    """The folders of the hooks that are published on their own."""
    from _pyinstaller_hooks_contrib import get_hook_dirs  # noqa: PLC0415  # it's there where PyInstaller is

    return list(get_hook_dirs())


def kept(graph: Any, reached: set[str], scripts: list[str]) -> set[str]:
    """The modules that stay: ``reached`` ones, and with all its imports what hooks for these and ``scripts`` ask for.

    What a hook asks for is in the graph as an import of the module that the hook is for.
    """

    def imports(name: str) -> list[str]:
        node = graph.find_node(name)
        outgoing = graph.get_edges(node)[0] if node is not None else ()
        return [str(other.identifier) for other in outgoing if other is not None]

    pending = scripts + [asked for name in reached & with_hooks() for asked in imports(name)]
    keep = set(reached)
    while pending:
        name = pending.pop()
        if name not in keep:
            keep.add(name)
            pending += imports(name)
    return keep


def triggers(graph: Any) -> dict[str, str]:
    """The names of scripts that PyInstaller runs before the program, each with the module that asks for it."""
    hooks = graph._available_rthooks  # noqa: SLF001  # nothing else tells
    return {Path(path).stem: module for module, paths in hooks.items() for path in paths}


def without_orphans(binaries: Toc, kept_ones: Toc) -> Toc:
    """``kept_ones`` less the shared libraries that only the others of ``binaries`` were linked to."""
    gone = [entry for entry in binaries if entry not in kept_ones]
    linked = with_libraries(gone)
    used = with_libraries([each for each in kept_ones if each[0] not in linked])
    return [entry for entry in kept_ones if entry[0] not in linked - used]


def with_libraries(binaries: Toc) -> set[str]:
    """The destinations of ``binaries`` and of the libraries that they are linked to, with all links to these."""
    return {entry[0] for entry in bindepend.binary_dependency_analysis(binaries, symlink_suppression_patterns=())}


def remember_links() -> None:
    """Have PyInstaller run ``ldd`` once for each file: it's asked three times what these are linked to."""
    ask: Callable[..., Any] = bindepend.get_imports

    @cache
    def asked(filename: str, search_paths: tuple[str, ...]) -> Any:
        return ask(filename, search_paths)

    bindepend.get_imports = lambda filename, search_paths=None: asked(str(filename), tuple(search_paths or ()))


def missing(graph: Any, own: set[str]) -> list[tuple[str, str]]:
    """The modules that aren't there, each with one of the app's ``own`` that needs it as soon as it's imported."""
    found = set()
    for node in graph.iter_graph():
        if type(node).__name__ in NOT_FOUND:
            for importer, edge in graph.get_importers(node.identifier):
                guarded = edge is None or edge.conditional or edge.tryexcept or edge.function or edge.fromlist
                if importer in own and not guarded:
                    found.add((node.identifier, importer))
    return sorted(found)


def is_elf(path: str) -> bool:
    """Whether ``path`` is a shared library: among data, one that the program opens by its path."""
    with Path(path).open("rb") as stream:
        return stream.read(4) == b"\x7fELF"


def run_by_ending(scripts: Toc, pure: Toc, run: list[str], folder: Path) -> Toc:
    """``scripts``, with one in the place of those in ``run``, which runs them as modules; ``pure`` gets those."""
    names = {path: name for name, path, code in pure if code.startswith("PYMODULE")}
    ending = "cannery_ending"
    pure += [(name, str(folder / f"{name}.py"), "PYMODULE") for name in (ending, "cannery_as_python")]
    for name, path, code in (entry for entry in scripts if entry[1] in run):
        if path not in names:
            names[path] = f"cannery:{name}"
            pure.append((names[path], path, code.replace("PYSOURCE", "PYMODULE")))
    start = folder / "start.py"
    start.write_text(f"__import__({ending!r}).run({[names[path] for path in run]!r})\n", encoding="utf-8")
    return [*(entry for entry in scripts if entry[1] not in run), ("start", str(start), "PYSOURCE")]


def analysed(wanted: dict[str, Any]) -> Analysis:
    """PyInstaller's analysis of what ``bundle.json`` asks for."""
    return Analysis(
        wanted["scripts"],
        pathex=wanted["roots"],
        binaries=[(path, str(Path(name).parent)) for name, path in wanted["data"] if is_elf(path)],
        hiddenimports=wanted["include"],
        excludes=wanted["without"],
        runtime_hooks=wanted["runtime_hooks"],
        optimize=wanted["optimize"],
    )


def settle_letters() -> None:
    """Intern every string of one letter, which marshal tells from one that isn't.

    There is one of each in a process, interned or not by modules that have nothing to do with the app: those that come
    from a folder ``__pycache__`` have done so, those that are compiled have not (python/cpython#78274).
    """
    for number in range(256):
        sys.intern(chr(number))


def main() -> None:
    """Make the bundle."""
    settle_letters()
    here = Path(CONF["specpath"])
    wanted = json.loads((here / "bundle.json").read_text(encoding="utf-8"))
    runpy.run_path(str(here / "stored_names.py"))["read_quickly"](ModuleGraph)
    remember_links()
    analysis = analysed(wanted)
    reached, first = {*wanted["reached"], *wanted["own"]}, triggers(analysis.graph)
    left_out, stand_ins = set(wanted["left_out"]), wanted["stand_ins"]
    tools = list(Path(wanted["tools"]).iterdir())  # links, each to a package of PyInstaller's own
    theirs = {path.name for path in tools}
    unused = left_out | theirs - {name.partition(".")[0] for name in reached}
    scripts: Toc = [entry for entry in analysis.scripts if first.get(entry[0], "") not in unused]
    keep = kept(analysis.graph, reached, [entry[1] for entry in scripts if entry[0] in first])

    def of_tools(entry: tuple[str, str, str]) -> bool:
        if entry[1] == NO_FILE:
            return entry[0].partition(".")[0] in theirs and entry[0] not in reached
        return any(is_below(entry[1], str(tool)) for tool in tools)

    def stays(entry: tuple[str, str, str]) -> bool:
        name = module_of(entry)
        if name in stand_ins:
            return bool(entry[1] == stand_ins[name])  # the base library is read before the app's folders
        if of_tools(entry):
            return name.startswith(("pyi", "_pyi"))  # what else lies there is PyInstaller's own affair
        return name in keep or name not in left_out

    pure: Toc = [entry for entry in analysis.pure if stays(entry)]
    pure += [(name, path, "PYMODULE") for name, path in stand_ins.items() if name not in {each[0] for each in pure}]
    scripts = run_by_ending(scripts, pure, wanted["run"], here)
    some: Toc = [entry for entry in analysis.binaries if entry[2] != "EXTENSION" or stays(entry)]
    binaries = without_orphans(analysis.binaries, some)
    given: Toc = [entry for entry in analysis.datas if not of_tools(entry)]
    have = {entry[0] for entry in (*given, *binaries)}
    data: Toc = [(name, path, "DATA") for name, path in wanted["data"] if name not in have]
    pyz = PYZ(pure)
    options = [("X utf8_mode=1", None, "OPTION"), ("u", None, "OPTION"), *[("O", None, "OPTION")] * wanted["optimize"]]
    program = EXE(pyz, scripts, options, exclude_binaries=True, name=wanted["name"], upx=False)
    COLLECT(program, binaries, given, data, name=wanted["name"], upx=False)
    contents = {
        "modules": {name: entry[2] for name, entry in sorted(ZlibArchiveReader(pyz.name).toc.items())},
        "missing": missing(analysis.graph, set(wanted["own"])),
        "machine": sorted({entry[1] for entry in binaries if not is_below(entry[1], str(here))}),
        "scripts": scripts,
        "options": options,
        "archive": [*pyz.dependencies, (Path(pyz.name).name, pyz.name, "PYZ")],
    }
    (here / "contents.json").write_text(json.dumps(contents), encoding="utf-8")


main()

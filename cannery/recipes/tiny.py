"""The recipe ``tiny``: as ``scratch``, with no module that nothing imports, no symbols, and bytecode in archives."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

from cannery.python.stdlib import python_path
from cannery.recipes.common import (
    app_code,
    bytecode_transforms,
    needs_of_code,
    pinned_dependencies,
    settled_app,
)
from cannery.recipes.container_config import container_config
from cannery.recipes.notes import notes_on, notes_on_code, notes_on_programs, notes_on_source_readers
from cannery.recipes.plan import Plan
from cannery.recipes.planned_contents import contents_with
from cannery.recipes.provided import check_imports, provision_of
from cannery.trees.app import app_tree
from cannery.trees.certificates import looks_for_certificates
from cannery.trees.needs import read_needs
from cannery.trees.packed_python import packed_python
from cannery.trees.runtime import packs_relocations, runtime, with_opened
from cannery.trees.shaken import shaken_of
from cannery.trees.small_programs import with_small_programs
from cannery.trees.source_readers import readers_at_import
from cannery.trees.transforms.collecting import seldom_collecting
from cannery.trees.transforms.compact import Surroundings, compact, raisers_in
from cannery.trees.transforms.compressed import LIBRARY_LOADER, CompressedPart, compressed
from cannery.trees.transforms.rpath import without_absolute
from cannery.trees.transforms.strip import strip
from cannery.trees.transforms.zipped import with_finder, zipped_dependencies, zipped_library

if TYPE_CHECKING:
    from cannery.image.tree import LazyTree
    from cannery.project.app import App
    from cannery.python.interpreter import Interpreter
    from cannery.recipes.common import BytecodeTransforms
    from cannery.trees.needs import Needs
    from cannery.workspace.workspace import Workspace

__all__ = ["tiny"]


def tiny(app: App, workspace: Workspace) -> Plan:
    """As scratch, with no module that nothing imports, no symbols, and bytecode in archives."""
    python = packed_python(app, workspace)
    dependencies = pinned_dependencies(app, python.target, workspace)
    app = settled_app(app, dependencies, python.target, workspace)
    own = app_tree(app, workspace)

    # 1. Reach, while there are sources: what is compiled hides its imports.
    reached = shaken_of(app, python, own, dependencies.wheels, workspace)
    # 2. Compile, before needs: an extension module needs libraries that its source doesn't.
    code = app_code(own, app, python, workspace)
    # 3. Shake, before needs: no library comes in for the sake of a module that goes.
    # 4. Strip, after shake: nothing is read that goes anyway.
    wheels = dependencies.wheels | reached.dependencies | strip
    # 5. Needs, before the runtime, whose shared libraries they are.
    needs = needs_of_code(own, code, app, workspace) + read_needs(wheels, workspace)
    needs = with_opened(needs, python, workspace)
    # 6. Look at all parts, before one gets smaller: an exception may come from a file of another part.
    parts = (wheels, code, own.resources)
    around = Surroundings(packs_relocations(python, workspace), raisers_in(parts, workspace))
    wanted = looks_for_certificates(parts, workspace)

    readers = readers_at_import(wheels, python.image_site_packages, workspace, app.settings.drop_sources)
    bytecode = bytecode_transforms(app, python, workspace, positions=False, readers=tuple(readers))
    smaller = _Smaller(app, python, around, bytecode, workspace)
    library = runtime(app, python, needs, workspace, shaken=reached.library, certificates_wanted=wanted)
    library = library | seldom_collecting(python) | without_absolute | strip
    layers = [("runtime", smaller.runtime(library, needs))]
    if app.requirements is not None:
        layers.append(("dependencies", smaller.dependencies(wheels)))
    layers.append(("app", with_small_programs(smaller.app_files(code, own.resources), app, python.platform)))
    missing = check_imports(app, provision_of(own, dependencies.wheels, python), workspace)
    notes = (
        *notes_on(app, dependencies.requirements),
        *own.notes,
        *missing,
        *notes_on_code(own, app),
        *notes_on_programs(own, app),
        *notes_on_source_readers(app, own, wheels, python.image_site_packages, workspace),
    )
    contents = contents_with(python, dependencies, workspace)
    return Plan(
        app, tuple(layers), container_config(app, python_path(python)), python.platform, notes, contents=contents
    )


@dataclass(frozen=True, slots=True)
class _Smaller:
    """The last steps, which each part of the image takes when the others are known.

    7. Compact, after strip, which leaves holes in a file that compact closes.
    8. Compress, after compact, which can't read what is compressed.
    9. Make bytecode, after compress, which adds a module of its own to the part.
    10. Archive, at the end: no other step looks into an archive.
    """

    app: App
    python: Interpreter
    around: Surroundings
    bytecode: BytecodeTransforms
    workspace: Workspace

    def runtime(self, library: LazyTree, needs: Needs) -> LazyTree:
        """The runtime, which holds the program; what the other parts' ``needs`` name is not compressed."""
        program, folder = python_path(self.python), self.python.image_stdlib
        whole = frozenset((*self.app.settings.libraries, *(need.soname for need in needs.libraries)))
        site, roots = self.python.image_site_packages, (f"{folder}/lib-dynload", folder)
        compacted = library | compact(replace(self.around, program=program), self.workspace)
        smaller = self._compressed(compacted, CompressedPart(site, roots, LIBRARY_LOADER, program, whole))
        return smaller | self.bytecode.library | zipped_library(self.python)

    def dependencies(self, wheels: LazyTree) -> LazyTree:
        """The wheels, with the module that finds others in their archive."""
        site = self.python.image_site_packages
        compacted = wheels | compact(self.around, self.workspace)
        smaller = self._compressed(compacted, CompressedPart(site, (site,)))
        return smaller | with_finder(self.python) | zipped_dependencies(self.python, self.bytecode.others)

    def app_files(self, code: LazyTree, resources: LazyTree) -> LazyTree:
        """The app, as files: it may look for its modules and its resources in their folders."""
        # Bytecode comes first here: a source among the resources is the app's data.
        return ((code | self.bytecode.own) + resources) | strip | compact(self.around, self.workspace)

    def _compressed(self, tree: LazyTree, part: CompressedPart) -> LazyTree:
        return tree | compressed(part, self.workspace) if self.app.settings.compress else tree

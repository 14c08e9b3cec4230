"""What may go otherwise in the image than it did from source, as far as the sources show."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING

from cannery.project.modules import imported_as

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.app import App
    from cannery.trees.app import AppTree

__all__ = ["notes_on_code"]


def notes_on_code(own: AppTree, app: App) -> Iterator[str]:
    """Say what the user had better know of the app's code."""
    if own.source_readers and not app.settings.keep_sources:
        yield (
            f"{own.source_readers[0]} reads source code, which the image does not have: name the modules that it reads "
            "in  [tool.cannery]  keep-sources"
        )
    sources = [path for path in own.code.tree.entries if path.endswith(".py")]
    tops = {imported_as(path, app.image_roots).partition(".")[0] for path in sources}
    for name in sorted(tops & sys.stdlib_module_names):
        yield f"the project's own module {name} hides that of the standard library, from every module that imports it"

"""Run in an environment with a project's build requirements: has its build backend write the metadata (PEP 517).

The arguments are the project's folder, the backend as in ``[build-system]``, a folder for what it writes, ``complete``
where all that it asks for is there, else ``lacking``, and folders of the project that the backend is imported from. The
path of the metadata, or the requirements that the backend asks for besides, stand in ``answer.json`` there.
"""

from __future__ import annotations

import importlib
import json
import os
import sys
import zipfile
from pathlib import Path
from typing import Any


def backend_called(name: str) -> Any:
    """The object ``module:attribute``."""
    module, _, attribute = name.partition(":")
    found: Any = importlib.import_module(module)
    for part in filter(None, attribute.split(".")):
        found = getattr(found, part)
    return found


def lacking(requirements: list[str]) -> list[str]:
    """Those that aren't installed, as far as their names tell."""
    import re  # noqa: PLC0415  # hardly any backend asks for more
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415

    found = []
    for requirement in requirements:
        match = re.match(r"[\w.-]+", requirement)
        try:
            distribution(match[0] if match else requirement)
        except PackageNotFoundError:
            found.append(requirement)
    return found


def metadata(backend: Any, out: Path) -> Path:
    """The ``.dist-info`` that the backend writes, by itself or in a wheel."""
    if hasattr(backend, "prepare_metadata_for_build_wheel"):
        return out / str(backend.prepare_metadata_for_build_wheel(str(out)))
    with zipfile.ZipFile(out / backend.build_wheel(str(out))) as wheel:
        wheel.extractall(out)
    return next(out.glob("*.dist-info"))


def main() -> None:
    """Answer."""
    folder, name, out, state, *paths = sys.argv[1:]
    os.chdir(folder)
    sys.path[:0] = [str(Path(folder, path)) for path in paths]
    backend = backend_called(name)
    asks = getattr(backend, "get_requires_for_build_wheel", list)
    more = lacking(list(asks())) if state == "lacking" else []  # a marker may exclude what is lacking still
    answer = {"requires": more} if more else {"metadata": str(metadata(backend, Path(out)))}
    Path(out, "answer.json").write_text(json.dumps(answer), encoding="utf-8")


main()

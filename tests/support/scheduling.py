"""Which tests one process runs, where several processes run them (pytest-xdist)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from xdist.scheduler import LoadFileScheduling

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["ENGINES", "ModulesTogether", "group_of"]

# The types of the fixtures of engines, which start once a process and are used by one test after the other.
ENGINES: Mapping[str, str] = {"Service": "engine services", "EngineCommand": "engine commands"}
# The modules whose tests use them: those of one group run in one process.
_TOGETHER: Mapping[str, str] = {
    "tests/containers/engine/": "engine services",
    "tests/recipes/dockerfile/test_builds.py": "engine services",
    "tests/executable/static/test_dockerfile.py": "engine services",
    "tests/recipes/dockerfile/test_engines.py": "engine services",
    "tests/recipes/dockerfile/test_farm.py": "engine services",
    "tests/recipes/dockerfile/test_own_stage.py": "engine services",
    "tests/whole/test_check_in_docker.py": "engine services",
    "tests/whole/test_examples_in_docker.py": "engine services",
    "tests/whole/test_watch.py": "engine services",
    "tests/executable/onefile/test_image.py": "engine commands",
    "tests/executable/onefile/test_load.py": "engine commands",
    "tests/whole/test_compiled.py": "engine commands",
    "tests/whole/test_cython.py": "engine commands",
    "tests/whole/test_engines.py": "engine commands",
    "tests/whole/test_slim.py": "engine commands",
}


def group_of(module: str) -> str:
    """The group that a module is of, named by its path from the root of the repository: its own for most."""
    return next((group for start, group in _TOGETHER.items() if module.startswith(start)), module)


class ModulesTogether(LoadFileScheduling):  # type: ignore[misc]  # untyped
    """Tests of a module run in one process, and so do those of modules that share an engine."""

    def _split_scope(self, nodeid: str) -> str:
        return group_of(super()._split_scope(nodeid))

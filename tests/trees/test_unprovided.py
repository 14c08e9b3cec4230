"""Imports that fail: which are found, and which are nobody's fault."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.project.config import load
from cannery.python.interpreter import describe
from cannery.trees.app import app_tree
from cannery.trees.unprovided import ImportFindings, Provision, Unprovided, import_findings
from tests.support.places import tree_of

if TYPE_CHECKING:
    from collections.abc import Mapping

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

WHEELS = {
    "yaml/__init__.py": "",
    "space/a/part/__init__.py": "",
    "hook.py": "FINDS = 'made_by_hook'",
    "hook.pth": "import hook\n",
    "folder.pth": "# a comment\nmore\n",
    "more/deeper.py": "",
}


def found(folder: Path, workspace: Workspace, *, base: bool = True) -> tuple[Unprovided, ...]:
    return findings(folder, workspace, base=base).unprovided


def findings(
    folder: Path, workspace: Workspace, wheels: Mapping[str, str] = WHEELS, *, base: bool = True
) -> ImportFindings:
    app = load(folder)
    python = describe(Path(sys.executable), workspace)
    site = python.image_site_packages
    installed = tree_of({f"{site}/{name}": text for name, text in wheels.items()})
    code = app_tree(app, workspace).code
    provision = Provision(code, installed, site, python.version, None if base else python)
    return import_findings(app, provision, workspace)


@pytest.mark.parametrize("base", [True, False])
def test_an_import_that_nothing_provides_is_named_with_its_line(
    make_project: MakeProject, workspace: Workspace, base: bool
) -> None:
    folder = make_project({"main.py": "import os, yaml\nimport helper\n", "helper.py": "\n\nimport idna.core\n"})
    assert found(folder, workspace, base=base) == (Unprovided("idna", "helper.py", 3, needed=True),)


def test_files_whose_paths_end_alike_are_not_confused(make_project: MakeProject, workspace: Workspace) -> None:
    """In the image they are /app/main.py and /app/app/main.py."""
    files = {"main.py": "import yaml\nimport app.main\n", "app/__init__.py": "", "app/main.py": "\nimport idna\n"}
    assert found(make_project(files), workspace) == (Unprovided("idna", "app/main.py", 2, needed=True),)


@pytest.mark.parametrize(
    "text",
    [
        "try:\n    import idna\nexcept ImportError:\n    idna = None",
        "try:\n    import idna\nexcept (AttributeError, ModuleNotFoundError):\n    import other",
        "with contextlib.suppress(ImportError):\n    import idna",
        "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    import idna",
        "import sys\nif sys.platform == 'win32':\n    import winreg",
        "import sys\nif sys.version_info < (3, 11):\n    import tomli",
        "import os\nif os.name == 'nt':\n    import msvcrt",
        "import os.path, xml.etree.ElementTree, _thread, lib2to3 if 0 else os",
        "import yaml.made_up, space.a.part.x, deeper, made_by_hook",
        "from space import a\nfrom space.a import part\nimport __main__",
        "from helper import anything\nimport package.inner\nfrom package import anything\nfrom package.folder import x",
        "from importlib import import_module\nimport_module('idna')",
    ],
)
def test_what_is_provided_or_guarded_is_no_fault(make_project: MakeProject, workspace: Workspace, text: str) -> None:
    package = {"package/__init__.py": "from . import inner", "package/inner.py": "", "package/folder/x.py": ""}
    text = text.replace(", lib2to3 if 0 else os", "")
    assert found(make_project({"main.py": text, "helper.py": "", **package}), workspace) == ()


@pytest.mark.parametrize(
    ("text", "module"),
    [
        ("from space import b", "space.b"),
        ("import space.b", "space.b"),
        ("from package.lost import x", "package.lost"),
        ("import package.folder.lost", "package.folder.lost"),
        ("try:\n    import yaml\nfinally:\n    import idna", "idna"),
        ("class C:\n    import idna\nC()", "idna"),
    ],
)
def test_what_lacks_a_part_is_told_by_that(
    make_project: MakeProject, workspace: Workspace, text: str, module: str
) -> None:
    folder = make_project({"main.py": text, "package/__init__.py": "", "package/folder/x.py": ""})
    assert [(each.module, each.needed) for each in found(folder, workspace)] == [(module, True)]


def test_what_fails_only_in_a_call_or_where_nothing_comes_is_not_needed(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(
        {
            "main.py": "import package.used\ndef f():\n    import idna\nf()\n",
            "beside.py": "import torch",
            "package/__init__.py": "",
            "package/used.py": "",
            "package/extra.py": "import redis",
        }
    )
    assert found(folder, workspace) == (
        Unprovided("torch", "beside.py", 1, needed=False),
        Unprovided("idna", "main.py", 3, needed=False),
        Unprovided("redis", "package/extra.py", 1, needed=False),
    )


@pytest.mark.parametrize(
    ("main", "needed"),
    [
        ("def f():\n    import package.plots\nf()", True),  # it's what starts, and calls it
        ("from package import f", True),
        ("import package.core", False),
        ("try:\n    import package.plots\nexcept ImportError: ...\nimport package.core", False),
    ],
)
def test_what_a_function_deeper_down_imports_may_fail(
    make_project: MakeProject, workspace: Workspace, main: str, needed: bool
) -> None:
    files = {
        "package/__init__.py": "def f():\n    import package.plots\n" if "import f" in main else "",
        "package/core.py": "import package.deep",
        "package/deep.py": "def f():\n    from package import plots\n",
        "package/plots.py": "import torch",
    }
    folder = make_project({"main.py": main, **files})
    assert found(folder, workspace) == (Unprovided("torch", "package/plots.py", 1, needed=needed),)


def test_a_string_that_names_a_module_leads_to_it(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'ROOT_URLCONF = "site_.urls"', "site_/urls.py": "import idna"})
    assert [each.needed for each in found(folder, workspace)] == [True]


def test_where_a_dependency_begins_any_module_counts(make_project: MakeProject, workspace: Workspace) -> None:
    files = {"service.py": "import idna", "pyproject.toml": '[tool.cannery]\nentry = "json.tool"\n'}
    assert [each.needed for each in found(make_project(files), workspace)] == [True]


def test_settings_that_name_no_module_are_told_with_what_may_be_meant(
    make_project: MakeProject, workspace: Workspace
) -> None:
    settings = '[tool.cannery]\nkeep-sources = ["yamll", "space.*", "main"]\ninclude = ["space.a", "qqqq"]\n'
    folder = make_project({"main.py": "", "pyproject.toml": settings})
    assert findings(folder, workspace).unknown == (("yamll", "did you mean 'yaml'?"), ("qqqq", ""))

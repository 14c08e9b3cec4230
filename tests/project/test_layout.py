"""Packages are looked for where the settings of build backends say that they lie."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ProjectError
from cannery.project.config import load
from cannery.project.modules import import_roots

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "text",
    [
        '[tool.hatch.build.targets.wheel]\npackages = ["lib/pkg"]\n',
        '[tool.hatch.build.targets.wheel]\nonly-include = ["lib/pkg"]\nsources = ["lib"]\n',
        '[tool.hatch.build.targets.wheel.sources]\n"lib/pkg" = "pkg"\n',
        '[tool.hatch.build.targets.wheel.sources]\n"lib" = ""\n',
        '[tool.hatch.build]\ndev-mode-dirs = ["lib"]\n',
        '[tool.pdm.build]\npackage-dir = "lib"\n',
        '[tool.maturin]\npython-source = "lib"\n',
        '[tool.setuptools.package-dir]\n"" = "lib"\n',
        '[tool.setuptools]\npackage-dir = { pkg = "lib/pkg" }\n',
        '[tool.setuptools.packages.find]\nwhere = ["lib"]\n',
        '[tool.poetry]\npackages = [{ include = "pkg", from = "lib" }]\n',
        '[tool.uv.build-backend]\nmodule-root = "lib"\n',
        '[tool.scikit-build]\nwheel.packages = ["lib/pkg"]\n',
    ],
)
def test_a_backend_s_settings_in_pyproject(make_project: MakeProject, text: str) -> None:
    folder = make_project({"pyproject.toml": text, "lib/pkg/__init__.py": ""})
    assert [str(root) for root in import_roots(folder)] == ["lib", "."]


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("setup.cfg", "[options]\npackage_dir =\n    = lib\n"),
        ("setup.cfg", "[options]\npackages = find:\n[options.packages.find]\nwhere = lib\n"),
        ("setup.py", "from setuptools import setup\nsetup(package_dir={'': 'lib'})\n"),
        ("setup.py", "from setuptools import *\nsetup(packages=find_packages('lib'), package_dir=where)\n"),
        ("setup.py", "from setuptools import *\nsetup(packages=find_namespace_packages(where='lib'))\n"),
    ],
)
def test_setuptools_own_files(make_project: MakeProject, name: str, text: str) -> None:
    folder = make_project({name: text, "lib/pkg/__init__.py": ""})
    assert [str(root) for root in import_roots(folder)] == ["lib", "."]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "[tool",
        '[tool]\nhatch = "x"\n',
        '[tool.pdm.build]\npackage-dir = "../elsewhere"\n',
        '[tool.pdm.build]\npackage-dir = "gone"\n',
        '[tool.hatch.build.targets.wheel]\npackages = ["pkg"]\n',
    ],
)
def test_without_such_a_setting_imports_start_from_the_project(make_project: MakeProject, text: str) -> None:
    folder = make_project({"pyproject.toml": text, "pkg/__init__.py": "", "setup.py": "setup(", "setup.cfg": "x"})
    assert [str(root) for root in import_roots(folder)] == ["."]


@pytest.mark.parametrize(
    "text",
    [
        '[tool.setuptools]\npackage-dir = { pkg = "source" }\n',
        '[tool.hatch.build.targets.wheel.sources]\n"source" = "pkg"\n',
        '[tool.poetry]\npackages = [{ include = "source", to = "pkg" }]\n',
    ],
)
def test_a_package_that_only_the_wheel_calls_so_is_told(make_project: MakeProject, text: str) -> None:
    module = "pkg.source.cli" if "poetry" in text else "pkg.cli"
    project = f'[project]\nname = "app"\nversion = "1"\nscripts = {{app = "{module}:main"}}\n'
    folder = make_project({"pyproject.toml": project + text, "source/__init__.py": "", "source/cli.py": ""})
    with pytest.raises(ProjectError, match=f"{module} lies in the folder source, and only in the project's wheel"):
        load(folder)

"""The modules that an image keeps for its own payload."""

from __future__ import annotations

import ast

import pytest

from cannery.trees.shaken import UNPACKING
from cannery.workspace.keys import package_file

pytestmark = pytest.mark.once


def test_what_unpacks_compressed_modules_finds_its_imports() -> None:
    source = package_file("trees/payload/unpacking.py").read_text(encoding="utf-8")
    functions = [node for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)]
    imports = [node for each in functions for node in ast.walk(each) if isinstance(node, ast.ImportFrom)]
    assert {node.module for node in imports} == set(UNPACKING)

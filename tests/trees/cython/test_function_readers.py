"""Decorators that take no compiled function are told while a module can still be excluded."""

from __future__ import annotations

import pytest

from cannery.errors import ProjectError
from cannery.image.content import Inline
from cannery.image.tree import File
from cannery.trees.cython.extensions import ModuleSource
from cannery.trees.cython.function_readers import function_readers, refuse_function_readers

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("from pydantic import validate_call\n@validate_call\ndef f(): ...", [(2, "pydantic.validate_call")]),
        ("import pydantic as p\n@p.validate_call(config={})\ndef f(): ...", [(2, "pydantic.validate_call")]),
        ("import numba\nclass A:\n    @numba.njit(cache=True)\n    def f(): ...", [(3, "numba.njit")]),
        ("from pydantic import computed_field as c\nclass A:\n @c\n def f(self): 1", [(3, "pydantic.computed_field")]),
        ("from pydantic import computed_field\nclass A:\n @computed_field(return_type=int)\n def f(self): ...", []),
        ("from pydantic import field_validator\nclass A:\n @field_validator('x')\n def f(self): ...", []),
        ("def validate_call(f): return f\n@validate_call\ndef f(): ...", []),
        ("from mine import validate_call\n@validate_call\ndef f(): ...", []),
        ("validate_call = (", []),
    ],
)  # fmt: skip
def test_decorators_are_found_by_what_their_names_stand_for(source: str, found: list[tuple[int, str]]) -> None:
    assert list(function_readers(source.encode())) == found


def test_all_modules_are_refused_at_once_with_the_line_that_excludes_them() -> None:
    text = b"from pydantic import validate_call\n@validate_call\ndef f(): ...\n"
    sources = [
        ModuleSource(f"/app/{name}.py", File(Inline(text)), name, f"{name}.py", script=False) for name in ("a", "b")
    ]
    with pytest.raises(ProjectError) as refused:
        refuse_function_readers(sources)
    assert refused.value.what == "2 modules can't work compiled"
    assert refused.value.evidence.startswith("a.py:2: pydantic.validate_call takes functions of Python's own")
    assert refused.value.step == 'leave it as bytecode:  [tool.cannery.cython]  exclude = ["a", "b"]'

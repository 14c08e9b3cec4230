from __future__ import annotations

import pytest

from cannery.python.program_names import is_python

pytestmark = pytest.mark.once


@pytest.mark.parametrize("name", ["python", "python3", "python3.13", "python3.13.5", "python3.14t"])
def test_a_python_s_name(name: str) -> None:
    assert is_python(name)


@pytest.mark.parametrize("name", ["python-dotenv", "pythonw", "python3-config", "python.", "ipython", ""])
def test_another_s_name(name: str) -> None:
    assert not is_python(name)

"""What to do where something that tests need is not on the machine."""

from __future__ import annotations

import os
from typing import NoReturn

import pytest

__all__ = ["absent"]


def absent(what: str) -> NoReturn:
    """Skip, or fail where everything is meant to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here")
    pytest.skip(f"{what} is not here")

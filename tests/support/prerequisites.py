"""What to do where something that tests need is not on the machine."""

from __future__ import annotations

import os

import pytest

__all__ = ["absent"]


def absent(what: str) -> None:
    """Skip, or fail where everything is meant to be there."""
    if os.environ.get("CI"):
        pytest.fail(f"{what} is not here")
    pytest.skip(f"{what} is not here")

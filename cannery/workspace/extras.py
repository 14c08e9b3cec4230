"""How an extra of cannery's is installed here: by the tool that installed cannery, and from the same place."""

from __future__ import annotations

import json
import shutil
import sys
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final
from urllib.parse import unquote, urlsplit

if TYPE_CHECKING:
    from collections.abc import Mapping
    from importlib.metadata import Distribution

__all__ = ["installing"]

_NAME: Final = "cannery"


def installing(extra: str) -> str:
    """The command that installs ``extra``, to be typed as it is.

    There may be several ways and only one that fits: what ``pip`` installs doesn't reach a tool of uv's, and a clone
    has another address than a release.
    """
    prefix, found = Path(sys.prefix), _distribution()
    options, source = _source(found)
    if (receipt := prefix / "uv-receipt.toml").exists():
        extras = sorted({extra, *_extras(receipt)})
        return f'uv tool install {options}"{source.format(",".join(extras))}"'
    wanted = f'{options}"{source.format(extra)}"'
    if any(part.startswith(("archive-v", "environments-v")) for part in prefix.parts):  # uv's cache
        return f'uvx --from "{source.format(extra)}" {_NAME} …'
    if (prefix / "pipx_metadata.json").exists():
        return f"pipx install --force {wanted}"
    if found is not None and (found.read_text("INSTALLER") or "").strip() == "uv":
        return _by_uv(prefix, wanted)
    return f"{_pip(prefix)} install {wanted}"


def _distribution() -> Distribution | None:
    from importlib.metadata import PackageNotFoundError, distribution  # noqa: PLC0415  # needed for errors alone

    try:
        return distribution(_NAME)
    except PackageNotFoundError:
        return None


def _source(found: Distribution | None) -> tuple[str, str]:
    """Options, and where cannery came from, with a place for the extras (PEP 610)."""
    origin: Mapping[str, Any] = json.loads((found and found.read_text("direct_url.json")) or "{}")
    url = origin.get("url", "")
    path = Path(unquote(urlsplit(url).path))
    if url.startswith("file:") and path.exists():
        here = "." if path == Path.cwd() else str(path)
        return ("--editable " if origin.get("dir_info", {}).get("editable") else ""), f"{here}[{{}}]"
    if revision := origin.get("vcs_info"):
        return "", f"{_NAME}[{{}}] @ {revision['vcs']}+{url}@{revision['commit_id']}"
    return "", f"{_NAME}[{{}}]" if not url or url.startswith("file:") else f"{_NAME}[{{}}] @ {url}"


def _extras(receipt: Path) -> list[str]:
    """The extras that a tool of uv's was installed with."""
    wanted = tomllib.loads(receipt.read_text("utf-8")).get("tool", {}).get("requirements", [])
    return [extra for each in wanted if each.get("name") == _NAME for extra in each.get("extras", [])]


def _by_uv(prefix: Path, wanted: str) -> str:
    if prefix.name == ".venv" and (prefix.parent / "uv.lock").exists():  # else the next sync takes it away again
        return f"uv add --dev {wanted}"
    python = "" if prefix == Path.cwd() / ".venv" else f"--python {prefix} "
    return f"uv pip install {python}{wanted}"


def _pip(prefix: Path) -> str:
    """What runs the pip of the environment ``prefix``: by its name where ``PATH`` leads there."""
    pip = prefix / "bin" / "pip"
    if not pip.exists() or shutil.which("pip") == str(pip):
        return "pip"
    return str(pip.relative_to(Path.cwd()) if pip.is_relative_to(Path.cwd()) else pip)

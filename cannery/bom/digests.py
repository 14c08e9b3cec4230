"""One digest for several files."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.workspace.digest import Digest

if TYPE_CHECKING:
    from collections.abc import Iterable

    from cannery.bom.layer_contents import ContainedFile

__all__ = ["archive_of", "digest_of_files"]

_INSIDE: Final = re.compile(r"(.*\.zip)/.*")


def archive_of(path: str) -> str:
    """The path of the archive that the module at ``path`` lies in; empty where it is a file of its own."""
    found = _INSIDE.fullmatch(path)
    return found[1] if found else ""


def digest_of_files(files: Iterable[ContainedFile]) -> str:
    """SHA-256 of the list of ``files`` in the form of sha256sum(1), sorted by path; empty for none.

    A member of an archive counts as the archive that it lies in, which has to be among them.
    """
    listed = sorted({f"{file.path}\0{file.sha256}" for file in files if file.sha256})
    lines = (f"{sha256}  {path}\n" for path, _, sha256 in (line.partition("\0") for line in listed))
    text = "".join(lines)
    return Digest.of(text.encode("utf-8", "surrogateescape")).hex if text else ""

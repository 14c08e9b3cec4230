"""A project in a repository of Git, with a key to sign its images by."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["commit", "make_key"]


def commit(folder: Path) -> str:
    """Commit all files of ``folder``, in a repository that is made there the first time; returns the commit."""
    identity = ("-c", "user.name=x", "-c", "user.email=x@example.com")
    for words in (("init", "-q"), ("add", "."), (*identity, "commit", "-qm", "all"), ("rev-parse", "HEAD")):
        done = subprocess.run(["git", *words], cwd=folder, check=True, capture_output=True, text=True)
    return done.stdout.strip()


def make_key(path: Path) -> Path:
    """Make a key at ``path``, and its public part at the same with ``.pub``."""
    curve = ("-algorithm", "EC", "-pkeyopt", "ec_paramgen_curve:P-256")
    for words in (("genpkey", *curve, "-out", path), ("pkey", "-in", path, "-pubout", "-out", f"{path}.pub")):
        subprocess.run(["openssl", *words], check=True, capture_output=True)
    return path

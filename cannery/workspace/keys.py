"""Names for what was made, by what it was made from."""

from __future__ import annotations

import hashlib
import json

__all__ = ["key_of"]


def key_of(*parts: object) -> str:
    """A name for what was made from ``parts``: equal for equal parts, in this run and in the next."""
    return hashlib.sha256(json.dumps(parts, sort_keys=True, default=str).encode()).hexdigest()

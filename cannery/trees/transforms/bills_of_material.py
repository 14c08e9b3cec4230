"""Bills of material that wheels bring along go where the image has one of its own, which lists what is still there."""

from __future__ import annotations

import re
from typing import Final

from cannery.image.tree import Transform
from cannery.workspace.keys import code_key, key_of

__all__ = ["without_boms"]

_BOM: Final = re.compile(r".*\.dist-info/sboms/.*")  # PEP 770

without_boms = Transform(
    key_of("without bills of materials", code_key(__name__)),
    lambda tree: tree.filter(lambda path, _: _BOM.fullmatch(path) is None),
)

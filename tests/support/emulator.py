"""Another machine's programs on this one: QEMU, which a namespace of its own may find by itself (binfmt_misc)."""

from __future__ import annotations

import shutil
import subprocess
from typing import TYPE_CHECKING

from tests.support.prerequisites import absent

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["QEMU", "on_arm64", "on_no_other_machine", "require_qemu"]

QEMU = "qemu-aarch64-static"  # of Debian's qemu-user-static: one that needs no libraries of the root it runs in
# Linux 6.7 lets a user namespace register its own; F: opened now, so that it's found from every root.
_RULE = (
    r":arm64:M::\x7fELF\x02\x01\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\xb7\x00"
    r":\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff\xff:"
)
_SCRIPT = """
mount -t binfmt_misc none /proc/sys/fs/binfmt_misc
[ -z "$1" ] || printf %s "$1" >/proc/sys/fs/binfmt_misc/register
shift
exec "$@"
"""


def on_arm64(*command: str) -> list[str]:
    """``command`` where programs for 64-bit ARM run as the machine's own do."""
    return _where(f"{_RULE}{shutil.which(QEMU)}:F", command)


def on_no_other_machine(*command: str) -> list[str]:
    """``command`` where nobody registered an emulator."""
    return _where("", command)


def _where(rule: str, command: Sequence[str]) -> list[str]:
    return ["unshare", "--user", "--map-root-user", "--mount", "sh", "-ec", _SCRIPT, "sh", rule, *command]


def require_qemu() -> None:
    """Skip the test where there is no such emulator, or the machine lets nobody register it."""
    if shutil.which(QEMU) is None:
        absent(f"{QEMU} (Debian's qemu-user-static)")
    tried = subprocess.run(on_arm64("true"), capture_output=True, text=True, check=False)
    if tried.returncode:
        absent(f"a namespace that can register an emulator ({tried.stderr})")

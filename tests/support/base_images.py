"""Bases with a Python that is found and never run: enough to build upon, for any platform."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from tests.support.elf_files import PT_INTERP, Handmade, Segment
from tests.support.layers import directory, file, hard_link, layer, symlink
from tests.support.layouts import AMD64, layout

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from tests.support.layers import Member

__all__ = ["ALPINE", "DEBIAN", "GLIBC", "MUSL", "SITE", "base", "program"]

SITE = "usr/local/lib/python3.11/site-packages"
GLIBC = b"\0GNU C Library (Debian GLIBC 2.36-9) stable release version 2.36.\n\0"
MUSL = b"\0musl libc\0001.2.4\0"
_LOADER = "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2"


def program(loader: str, version: str = "3.11.9") -> bytes:
    """An interpreter, as far as a loader and a curious eye are concerned."""
    name = loader.encode() + b"\0"
    minor = "".join(version.split(".")[:2])
    segments = [Segment(PT_INTERP, 0x800, len(name))]
    return Handmade(
        segments=segments, contents={0x800: name, 0xA00: f"\0{version}\0cpython-{minor}\0".encode()}
    ).build()


# As the official image has it: merged /usr, Python in /usr/local, packages of its own.
DEBIAN: Sequence[Member] = (
    symlink("lib", "usr/lib"),
    symlink("lib64", "usr/lib64"),
    symlink("bin", "usr/bin"),
    file(_LOADER),
    symlink("usr/lib64/ld-linux-x86-64.so.2", f"/{_LOADER}"),
    file("usr/lib/x86_64-linux-gnu/libc.so.6", GLIBC),
    directory("usr/local/lib", mode=0o2775),
    file("usr/local/bin/python3.11", program("/lib64/ld-linux-x86-64.so.2"), mode=0o755),
    hard_link("usr/local/bin/python3.11-again", "usr/local/bin/python3.11"),
    symlink("usr/local/bin/python3", "python3.11"),
    file("usr/local/lib/python3.11/os.py"),
    file("usr/local/lib/python3.11/site.py"),
    file(f"{SITE}/tin/__init__.py", b"old"),
    file(f"{SITE}/tin/gone.py", b"old"),
    file(f"{SITE}/tin-0.9.dist-info/METADATA"),
    file(f"{SITE}/tin-0.9.dist-info/RECORD", b"tin/__init__.py,,\ntin/gone.py,,\ntin-0.9.dist-info/METADATA,,\n"),
    file("etc/passwd", b"root:x:0:0:root:/root:/bin/bash\nweb:x:1000:1001::/srv:/bin/sh\n"),
    file("etc/group", b"root:x:0:\nweb:x:1001:\n"),
    file("etc/ssl/certs/ca-certificates.crt", b"of the base"),
)
ALPINE: Sequence[Member] = (
    file("usr/bin/python3.12", program("/lib/ld-musl-x86_64.so.1", "3.12.3"), mode=0o755),
    symlink("usr/bin/python3", "python3.12"),
    file("usr/lib/python3.12/os.py"),
    file("lib/ld-musl-x86_64.so.1", MUSL),
    symlink("lib/libc.musl-x86_64.so.1", "ld-musl-x86_64.so.1"),
)


def base(folder: Path, *members: Member, **more: Any) -> str:
    """A base of those members, as the setting names it; ``more`` is what a layout takes."""
    folder.mkdir(parents=True, exist_ok=True)
    made = layout(folder, [layer(folder, *(members or DEBIAN))], **{"platform": AMD64, **more})
    return f"oci:{made}"

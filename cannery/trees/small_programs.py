"""Small programs beside the app's: a health check and an init, for containers without a shell; and what watches use.

They are static executables that need no C library, made by zig of the C beside them; a test makes them again and
compares each byte.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from cannery.containers.ports import published_port
from cannery.errors import ConfigurationError
from cannery.image.content import Inline
from cannery.image.tree import File, LazyTree, Tree
from cannery.workspace.keys import code_key, key_of, package_file

if TYPE_CHECKING:
    from cannery.image.platform import Platform
    from cannery.project.app import App

__all__ = ["AGAIN", "HEALTH", "INIT", "health_settings", "small_program", "with_small_programs"]

AGAIN: Final = "/usr/local/bin/cannery-again"
HEALTH: Final = "/usr/local/bin/cannery-health"
INIT: Final = "/usr/local/bin/cannery-init"

_PROGRAMS: Final = package_file("trees/payload/programs")
_MARK: Final = b"cannery health settings\n"  # behind it are a port, a host and a path (health.c)
_ROOM: Final = 512  # bytes, with the mark
_NAMES: Final = {AGAIN: "again", HEALTH: "health", INIT: "init"}
_MACHINES: Final = {"amd64": "x86_64", "arm64": "aarch64"}
_HEALTH: Final = re.compile(r"(?:http://(?P<host>[^/:]*))?(?::(?P<port>\d+))?(?P<path>/.*)")


def with_small_programs(tree: LazyTree, app: App, platform: Platform) -> LazyTree:
    """``tree`` with the programs that the settings of ``app`` ask for, for ``platform``; as it is where they don't.

    Raises :class:`ConfigurationError` where there are none for that platform, or no port to ask for the health at.
    """
    wanted = [path for path, asked in ((INIT, app.settings.init), (HEALTH, app.settings.health)) if asked]
    if not wanted:
        return tree
    found = {path: small_program(path, platform) for path in wanted}
    told = b"\0".join(text.encode() for text in health_settings(app)) if app.settings.health else b""
    key = key_of("small programs", code_key(__name__), sorted(wanted), platform.architecture, told.decode())

    def make() -> Tree:
        return Tree({path: File(Inline(_told(data, told)), 0o755) for path, data in found.items()})

    return tree + LazyTree(key, make)


def small_program(path: str, platform: Platform) -> bytes:
    """The program whose place in an image is ``path``, for ``platform``.

    Raises :class:`ConfigurationError` where there is none for that.
    """
    machine = _MACHINES.get(platform.architecture)
    if machine is None:
        raise ConfigurationError(
            f"there is no health check and no init for {platform}",
            step=f"leave health and init out; they are for {', '.join(f'linux/{name}' for name in _MACHINES)}",
        )
    return (_PROGRAMS / f"{_NAMES[path]}.{machine}").read_bytes()


def health_settings(app: App) -> tuple[str, str, str]:
    """The port, the host and the path that the health check asks for.

    Raises :class:`ConfigurationError` where nothing says which port the program listens on, or it's all too long.
    """
    text = app.settings.health or ""
    match = _HEALTH.fullmatch(text)
    assert match is not None  # noqa: S101  # the schema of the settings says so
    ports = (published_port(each).container.partition("/") for each in app.ports)
    port = match["port"] or next((number for number, _, protocol in ports if protocol == "tcp"), None)
    if port is None:
        raise ConfigurationError(
            f"health = {text!r}, and nothing says which port the program listens on",
            step=f'say it:  [tool.cannery]  ports = ["8000"]  (or health = ":8000{match["path"]}")',
        )
    host = match["host"] or "localhost"
    if sum(map(len, (port, host, match["path"]))) > _ROOM - len(_MARK) - 3:
        raise ConfigurationError("health is too long", evidence=text, step="give the program a shorter path for it")
    return port, f"{host}:{port}", match["path"]


def _told(data: bytes, told: bytes) -> bytes:
    """The program ``data`` with what it's told behind its mark, if it has one."""
    head, mark, rest = data.partition(_MARK)
    return head + mark + told + rest[len(told) :] if mark else data

"""The socket of an engine on another machine, brought here by OpenSSH: then it's an engine like any other.

(The SDK runs ``docker system dial-stdio`` there for each connection, wants paramiko, and can't attach to a program.)
"""

from __future__ import annotations

import atexit
import tempfile
from functools import cache
from typing import TYPE_CHECKING, Final
from urllib.parse import urlsplit

from cannery.workspace.process import find, start

if TYPE_CHECKING:
    import subprocess

__all__ = ["forwarded"]

_GREETING: Final = b"cannery\n"
# What ends this process's group must not end the tunnel, through which containers are removed then: it ends when its
# input does, which is when this process has ended, however that came.
_DEAF: Final = ("sh", "-c", 'trap "" INT TERM HUP QUIT; exec "$@"', "sh")
_OPTIONS: Final = ("LogLevel=ERROR", "ConnectTimeout=10", "ExitOnForwardFailure=yes", "ControlPath=none")


@cache
def forwarded(address: str, usual: str) -> str:
    """The path of a socket here that leads to the engine at ``address``, ``ssh://[user@]host[:port][/path]``.

    Where the address has no path, it leads to the ``usual`` one there. Raises :class:`ConnectionError` with what ssh
    says where it can't, :class:`ToolError` where there is no ssh.
    """
    ssh = find("ssh", step="install OpenSSH's client")
    url = urlsplit(address)
    folder = tempfile.TemporaryDirectory(prefix="cannery-")
    socket = f"{folder.name}/engine.sock"
    options = [f"-o{option}" for option in _OPTIONS]
    user = [f"-l{url.username}"] if url.username else []
    port = [f"-p{url.port}"] if url.port else []
    remote = url.path.rstrip("/") or usual
    tunnel = start([*_DEAF, ssh, *options, *user, *port, f"-L{socket}:{remote}", "--", url.hostname or "", "cat"])
    atexit.register(_end, tunnel, folder)
    if not _answers(tunnel):
        said = tunnel.communicate()[1].decode(errors="replace").strip()
        raise ConnectionError(said or "ssh ends without a word")
    return socket


def _answers(tunnel: subprocess.Popen[bytes]) -> bool:
    """Whether what is sent comes back: then the tunnel stands."""
    assert tunnel.stdin is not None  # noqa: S101  # it was started with pipes
    assert tunnel.stdout is not None  # noqa: S101
    try:
        tunnel.stdin.write(_GREETING)
        tunnel.stdin.flush()
    except BrokenPipeError:
        return False
    return tunnel.stdout.readline() == _GREETING


def _end(tunnel: subprocess.Popen[bytes], folder: tempfile.TemporaryDirectory[str]) -> None:
    tunnel.communicate()
    folder.cleanup()

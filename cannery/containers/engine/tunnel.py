"""The socket of an engine on another machine, forwarded to this one by OpenSSH (ssh(1), ``-L``).

The SDK has a way of its own, which runs ``docker system dial-stdio`` for each connection: it needs paramiko, and can't
attach to a program.
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
# The tunnel has to outlive a signal to this process's group, as containers are removed through it after that. It ends
# when its input does: at the end of this process, whatever ended that.
_DEAF: Final = ("sh", "-c", 'trap "" INT TERM HUP QUIT; exec "$@"', "sh")
_OPTIONS: Final = ("LogLevel=ERROR", "ConnectTimeout=10", "ExitOnForwardFailure=yes", "ControlPath=none")


@cache
def forwarded(address: str, usual: str) -> str:
    """The path of a socket of this machine, forwarded to that of ``address``: ``ssh://[user@]host[:port][/path]``.

    An address without a path means the ``usual`` socket of its machine. Raises :class:`ConnectionError` with ssh's
    words where it can't connect, :class:`ToolError` where there is no ssh.
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
    """True if a greeting comes back from ``cat`` on the other machine: then the tunnel stands."""
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

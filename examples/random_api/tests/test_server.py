"""How the server ends."""

from __future__ import annotations

import signal
import socket
import subprocess
import sys
import time

SLOW_TO_BEGIN = """
import time

import gunicorn.util

from random_api.server import main

gunicorn.util._setproctitle = lambda title: time.sleep(1) if title.startswith("worker") else None
main()
"""


def test_a_worker_that_has_hardly_begun_ends_with_the_others() -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    command = [sys.executable, "-c", SLOW_TO_BEGIN, "--host=127.0.0.1", f"--port={port}", "--workers=2"]
    with subprocess.Popen(command, stderr=subprocess.PIPE, text=True) as server:
        assert server.stderr is not None
        while "Using worker" not in server.stderr.readline():
            pass
        time.sleep(0.3)  # the first worker is there, and has not told the system which signals it listens to
        server.send_signal(signal.SIGTERM)
        rest = server.communicate(timeout=20)[1]  # after 30 seconds Gunicorn would kill it
    assert server.returncode == 0, rest
    assert "SIGKILL" not in rest

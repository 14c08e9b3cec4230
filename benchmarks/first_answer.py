"""Start a server, and print how many seconds it takes to its first answer: ``first_answer.py URL PROGRAM …``."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from urllib.error import URLError
from urllib.request import urlopen

_PAUSE = 0.002  # seconds


def main(url: str, *command: str) -> None:
    """Start it, ask it until it answers, and stop it."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            while not _answers(url):
                if process.poll() is not None:
                    sys.exit(f"{command[0]} ended with {process.returncode}")
                time.sleep(_PAUSE)
            print(time.perf_counter() - began)
        finally:
            process.send_signal(signal.SIGTERM)


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310  # the caller's own server
            return bool(response.read())
    except (URLError, ConnectionError):
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])

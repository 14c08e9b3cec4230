"""Run as a script: ``first_answer.py URL PROGRAM …`` starts a server and waits for its first answer.

It prints the memory of all processes of the server once that came (PSS, bytes), and the seconds until then.
"""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

_PAUSE, _IDLE = 0.002, 0.3  # seconds


def main(url: str, *command: str) -> None:
    """Start the server ``command``, ask for ``url`` until it answers, and stop it."""
    began = time.perf_counter()
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:  # noqa: S603
        try:
            while not _answers(url):
                if process.poll() is not None:
                    sys.exit(f"{command[0]} ended with {process.returncode}")
                time.sleep(_PAUSE)
            seconds = time.perf_counter() - began
            time.sleep(_IDLE)
            print(_memory(process.pid), seconds)
        finally:
            process.send_signal(signal.SIGTERM)


def _memory(pid: int) -> int:
    """The bytes of a process and of those that it started; of shared pages each counts its part (PSS, proc(5))."""
    total = 0
    try:
        rollup = Path(f"/proc/{pid}/smaps_rollup").read_text(encoding="ascii")
        children = [path.read_text(encoding="ascii") for path in Path(f"/proc/{pid}/task").glob("*/children")]
    except (FileNotFoundError, ProcessLookupError):
        return 0  # it has ended meanwhile
    for line in rollup.splitlines():
        if line.startswith("Pss:"):
            total += int(line.split()[1]) * 1024
    return total + sum(_memory(int(child)) for text in children for child in text.split())


def _answers(url: str) -> bool:
    try:
        with urlopen(url, timeout=5) as response:  # noqa: S310  # the caller's own server
            return bool(response.read())
    except (URLError, ConnectionError):
        return False


if __name__ == "__main__":
    main(*sys.argv[1:])

"""A program that tries what it may do is allowed no more without an engine than under Docker."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from tests.containers.engine.conftest import cannery

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = [pytest.mark.once, pytest.mark.slow]

# Each call is made in a process of its own, with arguments that no call takes, for a second at most. Left out are those
# that take any: they end, stop or wait for processes, or change nothing but the process itself.
PROGRAM = """
    import ctypes, errno, json, os, resource, select

    LEFT_OUT = {*range(13, 16), 22, 23, 24, 34, 35, 57, 58, 60, 61, 62, 112, 109, 127, 128, 130, 200, 202, 219, 230,
        231, 232, 234, 247, 270, 271, 281, 297, 424, 441, 449}
    libc = ctypes.CDLL(None, use_errno=True)
    libc.syscall.argtypes = [ctypes.c_long] * 7

    def may(number):
        told, tell = os.pipe()
        child = os.fork()
        if child == 0:
            result = libc.syscall(number, *[-1] * 6)
            refused = result < 0 and ctypes.get_errno() in (errno.EPERM, errno.ENOSYS)
            os.write(tell, b"n" if refused else b"y")
            os._exit(0)
        os.close(tell)
        ready = select.select([told], [], [], 1)[0]
        answer = os.read(told, 1) if ready else b"y"
        os.kill(child, 9)
        os.waitpid(child, 0)
        os.close(told)
        return answer != b"n"

    status = dict(line.split(":", 1) for line in open("/proc/self/status"))
    fields = ["CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb", "NoNewPrivs", "Seccomp"]
    mounts = [line.split()[:4] for line in open("/proc/self/mounts")]
    writable = [mount for mount in mounts if "ro" not in mount[3].split(",")]
    print(json.dumps({
        "calls": [number for number in range(470) if number not in LEFT_OUT and may(number)],
        "status": [status[field].strip() for field in fields],
        "writable": [place for _, place, *_ in writable if os.path.isdir(place) and os.access(place, os.W_OK)],
        "devices": sorted(set(os.listdir("/dev")) - {"console", "core", "mqueue"}),
        "core": resource.getrlimit(resource.RLIMIT_CORE)[0],
    }))
"""
_PERSONALITY = 135  # its argument has 32 bits, of which Docker's filter compares 64


def test_a_program_may_do_no_more_without_an_engine_than_under_docker(
    dockerd: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "main.py").write_text(textwrap.dedent(PROGRAM))
    (tmp_path / "pyproject.toml").write_text("[tool.cannery]\nname = 'prober'\n")
    for name, value in dockerd.environment.items():
        monkeypatch.setenv(name, value)
    theirs, ours = (told(tmp_path, engine) for engine in ("docker", "none"))

    assert set(ours.pop("calls")) - {_PERSONALITY} <= set(theirs.pop("calls"))
    assert set(ours.pop("writable")) <= set(theirs.pop("writable"))
    assert ours == theirs


def told(project: Path, engine: str) -> dict[str, Any]:
    done = cannery("run", "--engine", engine, cwd=project)
    assert done.returncode == 0, done.stderr
    return dict(json.loads(done.stdout))

"""What a container's program finds around it."""

from __future__ import annotations

import os
import socket
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.support.sandbox_programs import ENV, program, script, seen

if TYPE_CHECKING:
    from tests.support.sandbox_callers import Caller


RESERVED = 0b11 << 31  # signals 32 and 33, the C library's own (nptl(7)): its posix_spawn leaves them ignored
TEMPORARY = ["/dev/shm", "/tmp"]  # the container's


def test_the_environment_is_the_containers_alone(caller: Caller, host_root: Path) -> None:
    look = "import json, os; print(json.dumps({k: v for k, v in os.environ.items() if k != 'LC_CTYPE'}))"

    assert seen(caller, script(host_root, look, env={**ENV, "A": "b=c"})) == {**ENV, "A": "b=c"}


def test_no_descriptor_but_the_three_is_inherited(caller: Caller, host_root: Path) -> None:
    def leak() -> None:
        for number in (7, 50):
            os.dup2(1, number, inheritable=True)

    ended = caller.run(program(host_root, "sh", "-c", "cd /proc/$$/fd && echo *"), before=leak)
    assert ended.stdout.split()[:3] == ["0", "1", "2"]
    assert not {"7", "50"} & {*ended.stdout.split()}


def test_the_umask_is_022(caller: Caller, host_root: Path) -> None:
    def forbid_others() -> None:
        os.umask(0o077)

    ended = caller.run(program(host_root, "sh", "-c", "umask"), before=forbid_others)

    assert ended.stdout == "0022\n"


def test_the_signals_are_as_a_program_expects_them(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/self/status"))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())
    masks = [int(status[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt")]

    assert [mask & ~RESERVED for mask in masks] == [0, 0, 0]


def test_the_program_starts_in_its_working_directory(caller: Caller, host_root: Path) -> None:
    look = "import json, os; print(json.dumps(os.getcwd()))"

    assert seen(caller, script(host_root, look, working_directory="/srv")) == "/srv"


def test_every_mount_is_read_only_but_those_that_are_meant_to_be_written(caller: Caller, host_root: Path) -> None:
    look = """
        import json
        mounts = [line.split() for line in open("/proc/self/mountinfo")]
        print(json.dumps([m[4] for m in mounts if "ro" not in m[5].split(",") and not m[4].startswith("/proc/")]))
    """
    assert seen(caller, script(host_root, look)) == ["/proc", "/dev/pts", *TEMPORARY]


@pytest.mark.parametrize("path", ["/file", "/srv/file", "/dev/file", "/sys/file", "/etc/hosts"])
def test_nothing_of_the_image_can_be_written(caller: Caller, host_root: Path, path: str) -> None:
    ended = caller.run(program(host_root, "sh", "-c", f"echo x > {path}"))

    assert ended.code != 0
    assert {path.name for path in host_root.iterdir()} >= {"srv"}
    assert not [*(host_root / "srv").iterdir()]


@pytest.mark.parametrize("path", TEMPORARY)
def test_temporary_folders_are_writable_empty_and_harmless(caller: Caller, host_root: Path, path: str) -> None:
    look = f"""
        import json, os, stat
        empty = not os.listdir("{path}")
        open("{path}/file", "w").write("x")
        mode = stat.S_IMODE(os.stat("{path}").st_mode)
        flags = os.statvfs("{path}").f_flag
        print(json.dumps([empty, oct(mode), bool(flags & os.ST_NOSUID), bool(flags & os.ST_NODEV)]))
    """
    assert seen(caller, script(host_root, look)) == [True, "0o1777", True, True]


def test_the_devices_work(caller: Caller, host_root: Path) -> None:
    look = """
        import json, os, pty
        open("/dev/null", "w").write("gone")
        zero, full = open("/dev/zero", "rb").read(3), open("/dev/full", "wb", buffering=0)
        try:
            full.write(b"x")
        except OSError as error:
            reason = error.strerror
        ours, theirs = pty.openpty()
        random = [len(open(f"/dev/{name}", "rb", buffering=0).read(4)) for name in ("random", "urandom")]
        print(json.dumps([zero.hex(), reason, random, os.ttyname(theirs), sorted(os.listdir("/dev"))]))
    """
    names = ["fd", "full", "null", "ptmx", "pts", "random", "shm", "stderr", "stdin", "stdout"]
    assert seen(caller, script(host_root, look)) == [
        "000000",
        "No space left on device",
        [4, 4],
        "/dev/pts/0",
        [*names, "tty", "urandom", "zero"],
    ]


def test_processes_share_locks(caller: Caller, host_root: Path) -> None:
    look = "import json, multiprocessing; print(json.dumps(multiprocessing.Lock().acquire()))"

    assert seen(caller, script(host_root, look)) is True


@pytest.mark.parametrize("name", ["hosts", "resolv.conf", "hostname"])
def test_the_hosts_names_are_the_containers(caller: Caller, host_root: Path, name: str) -> None:
    ended = caller.run(program(host_root, "cat", f"/etc/{name}"))

    on_host = Path("/etc", name)
    assert ended.stdout == (on_host.read_text() if on_host.exists() else "")


def test_the_host_name_is_the_machines_as_the_network_is(caller: Caller, host_root: Path) -> None:
    look = "import json, socket; print(json.dumps(socket.gethostname()))"

    assert seen(caller, script(host_root, look)) == socket.gethostname()


def test_a_host_name_of_its_own_can_be_given(caller: Caller, host_root: Path) -> None:
    look = "import json, socket; print(json.dumps([socket.gethostname(), open('/etc/hostname').read()]))"

    assert seen(caller, script(host_root, look, hostname="tin")) == ["tin", "tin\n"]
    assert socket.gethostname() != "tin"


def test_the_network_is_the_hosts(caller: Caller, host_root: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:  # which accepts, in the system's queue, before it's asked to
        port = server.getsockname()[1]
        ended = caller.run(script(host_root, f"import socket; socket.create_connection(('127.0.0.1', {port}))"))

    assert (ended.code, ended.stderr) == (0, "")


def test_standard_input_is_piped_through(caller: Caller, host_root: Path) -> None:
    assert caller.run(program(host_root, "cat"), stdin=b"through and through").stdout == "through and through"


def test_a_large_output_is_piped_through(caller: Caller, host_root: Path) -> None:
    ended = caller.run(script(host_root, "print('0123456789' * 1_000_000, end='')"))

    assert (ended.code, len(ended.stdout)) == (0, 10_000_000)

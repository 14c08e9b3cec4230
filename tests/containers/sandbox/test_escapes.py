"""Ways out of a container that were tried, each as root and as an ordinary user: none leads anywhere."""

from __future__ import annotations

import ctypes
import json
import os
import platform
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cannery.containers.limits import Limits
from cannery.containers.sandbox.container import Volume
from cannery.containers.sandbox.seccomp import REFUSED
from tests.support.sandbox_programs import program, script, seen

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.support.sandbox_callers import Caller

# What each attempt has at hand: the system call by its number on this machine, and what came of it.
TRIES = """
    import ctypes, errno, json, os, sys
    libc = ctypes.CDLL(None, use_errno=True)
    def call(number, *arguments):
        result = libc.syscall(number, *arguments)
        return errno.errorcode[ctypes.get_errno()] if result < 0 else "done"
    def tried(action):
        try:
            action()
            return "done"
        except OSError as error:
            return errno.errorcode[error.errno]
"""
COLUMN = ("x86_64", "aarch64").index(platform.machine()) if platform.machine() in {"x86_64", "aarch64"} else 0
SEALED = ["unshare", "setns", "mount", "umount2", "pivot_root", "chroot", "open_tree", "fsopen", "open_by_handle_at"]
SEALED += ["keyctl", "add_key", "request_key", "bpf", "perf_event_open", "io_uring_setup", "userfaultfd", "kexec_load"]
DEVICES = {"full", "null", "ptmx", "pts", "random", "shm", "tty", "urandom", "zero", "fd", "stderr", "stdin", "stdout"}
BOTH = pytest.mark.parametrize("uid", [0, 65535], ids=["as root", "as nobody"])


def number(name: str) -> int:
    found = REFUSED[name][COLUMN]
    assert found is not None
    return found


def attempt(caller: Caller, root: Path, source: str, **options: Any) -> Any:
    return seen(caller, script(root, f"{TRIES}\n{source}", **options))


def need_landlock(version: int, what: str) -> None:
    if ctypes.CDLL(None).syscall(444, None, 0, 1) < version:
        pytest.skip(f"the kernel's Landlock has no {what}")


@BOTH
def test_no_namespace_mount_or_key_is_to_be_had(caller: Caller, host_root: Path, uid: int) -> None:
    numbers = {name: number(name) for name in SEALED}
    source = f"    print(json.dumps({{name: call(n, 0x10000000, 0, 0, 0, 0) for name, n in {numbers}.items()}}))"

    assert attempt(caller, host_root, source, uid=uid, gid=uid) == dict.fromkeys(SEALED, "EPERM")


@BOTH
def test_no_process_gets_a_user_namespace_by_clone(caller: Caller, host_root: Path, uid: int) -> None:
    clone, clone3 = (56, 435) if COLUMN == 0 else (220, 435)
    source = f"    print(json.dumps([call({clone}, 0x10000000 | 17, 0, 0, 0, 0), call({clone3}, 0, 0)]))"

    assert attempt(caller, host_root, source, uid=uid, gid=uid) == ["EPERM", "ENOSYS"]


def test_the_callers_keys_are_out_of_reach(caller: Caller, host_root: Path) -> None:
    """They are read before the filter is on, too: the session keyring of a program is another."""
    libc = ctypes.CDLL(None, use_errno=True)

    def keep_a_key() -> None:
        libc.syscall(number("keyctl"), 1, None, 0, 0, 0)
        assert libc.syscall(number("add_key"), b"user", b"cannery-secret", b"x", 1, -3) > 0

    keys = caller.run(program(host_root, "cat", "/proc/keys", "/proc/key-users"), before=keep_a_key)

    assert "cannery-secret" not in keys.stdout


@pytest.mark.parametrize("stream", [0, 1, 2])
def test_a_terminal_that_is_one_stream_of_many_controls_nothing(caller: Caller, host_root: Path, stream: int) -> None:
    """It's handed on as it is, and is no terminal of the program's session: TIOCSTI and TIOCSCTTY, and /dev/tty."""

    def make_terminal() -> None:
        os.dup2(os.openpty()[1], stream)

    source = f"""
    import fcntl
    report = [tried(lambda: fcntl.ioctl({stream}, code, b"x")) for code in (0x5412, 0x540E)]
    report.append(tried(lambda: os.open("/dev/tty", os.O_RDWR)))
    os.write({2 if stream == 1 else 1}, json.dumps(report).encode())
    """
    ended = caller.run(script(host_root, f"{TRIES}\n{source}"), before=make_terminal)

    assert (ended.stderr if stream == 1 else ended.stdout) == '["EPERM", "EPERM", "ENXIO"]'


def test_no_descriptor_of_the_callers_is_inherited(caller: Caller, host_root: Path) -> None:
    def leave_open() -> None:
        for place in ("/etc/passwd", "/"):
            os.set_inheritable(os.open(place, os.O_RDONLY), True)  # noqa: FBT003  # the parameter has no name

    source = (
        "import json, os\nprint(json.dumps(sorted(map(int, os.listdir('/proc/self/fd')))))"  # libffi leaves one open
    )
    found = caller.run(script(host_root, source), before=leave_open)

    assert found.stdout == "[0, 1, 2, 3]\n"  # the last is the listing's own


@BOTH
def test_a_file_that_is_a_stream_is_opened_for_nothing_else(
    caller: Caller, host_root: Path, shared: Path, uid: int
) -> None:
    """Not by its name in /proc either, though the program's user be the file's owner."""
    need_landlock(2, "rules that let files be renamed")
    paths = [shared / "in", shared / "out"]
    for path in paths:
        path.write_text("before\n")
        path.chmod(0o666)

    def redirect() -> None:
        for stream, mode in enumerate((os.O_RDONLY, os.O_WRONLY | os.O_APPEND)):
            os.dup2(os.open(paths[stream], mode), stream)

    source = """
    flags = os.O_RDWR, os.O_WRONLY | os.O_TRUNC, os.O_RDONLY
    report = [[tried(lambda: os.open(f"/proc/self/fd/{stream}", flag)) for flag in flags] for stream in (0, 1)]
    report.append(tried(lambda: os.truncate("/proc/self/fd/0", 0)))
    os.mkdir("/tmp/a")
    open("/tmp/b", "w").close()
    report.append(tried(lambda: os.rename("/tmp/b", "/tmp/a/b")))
    os.write(2, json.dumps(report).encode())
    """
    ended = caller.run(script(host_root, f"{TRIES}\n{source}", uid=uid, gid=uid), before=redirect)

    assert ended.stderr == json.dumps([["EACCES", "EACCES", "done"], ["EACCES", "done", "EACCES"], "EACCES", "done"])
    assert paths[0].read_text() == "before\n"


def test_a_folder_that_is_a_stream_is_not_handed_on(caller: Caller, host_root: Path) -> None:
    def redirect() -> None:
        os.dup2(os.open("/", os.O_RDONLY), 0)

    source = "    print(json.dumps([tried(lambda: os.listdir(0)), tried(lambda: os.open('etc', 0, dir_fd=0))]))"
    ended = caller.run(script(host_root, f"{TRIES}\n{source}"), before=redirect)

    assert ended.stdout == '["ENOTDIR", "ENOTDIR"]\n'


@BOTH
def test_a_program_opens_its_own_output(caller: Caller, host_root: Path, uid: int) -> None:
    if caller.ordinary:
        pytest.skip("an ordinary user's pipes are its own, and these are the tests'")
    source = "    [open(f'/dev/{name}', 'w').write(name) for name in ('stdout', 'stderr')]"
    ended = caller.run(script(host_root, f"{TRIES}\n{source}", uid=uid, gid=uid))

    assert (ended.stdout, ended.stderr) == ("stdout", "stderr")


@BOTH
def test_nothing_is_read_of_process_1_or_traced(caller: Caller, host_root: Path, uid: int) -> None:
    source = """
    def read(name):
        path = f"/proc/1/{name}"
        return tried(lambda: open(path, "rb").read(1) if name in ("mem", "environ", "maps") else os.readlink(path))
    libc.ptrace.argtypes = [ctypes.c_long] * 4
    traced = "done" if libc.ptrace(16, 1, 0, 0) == 0 else errno.errorcode[ctypes.get_errno()]
    print(json.dumps([traced, *map(read, ["mem", "environ", "maps", "fd/0", "root", "cwd", "exe"])]))
    """
    assert set(attempt(caller, host_root, source, uid=uid, gid=uid)) <= {"EPERM", "EACCES"}


@BOTH
def test_no_device_is_made_or_opened(caller: Caller, host_root: Path, uid: int) -> None:
    source = """
    import stat
    disk = os.makedev(254, 0)
    made = [tried(lambda: os.mknod(place, 0o600 | stat.S_IFBLK, disk)) for place in ("/tmp/disk", "/dev/disk")]
    print(json.dumps([made, sorted(set(os.listdir("/dev")) - {"console"})]))
    """
    made, devices = attempt(caller, host_root, source, uid=uid, gid=uid)

    assert set(made) <= {"EPERM", "EROFS", "EACCES"}
    assert set(devices) <= DEVICES


@BOTH
def test_what_belongs_to_the_machine_is_not_written(caller: Caller, host_root: Path, uid: int) -> None:
    source = """
    places = ["/proc/sys/kernel/core_pattern", "/proc/sys/kernel/modprobe", "/proc/sysrq-trigger", "/etc/passwd",
        "/sys/kernel/uevent_helper", "/sys/fs/cgroup/cgroup.procs", "/proc/1/oom_score_adj"]
    print(json.dumps([tried(lambda: os.write(os.open(place, os.O_WRONLY), b"-1000")) for place in places]))
    """
    found = attempt(caller, host_root, source, uid=uid, gid=uid)

    assert set(found) <= {"EROFS", "EACCES", "ENOENT", "EPERM"}


def test_set_user_id_gives_nothing(caller: Caller, host_root: Path, shared: Path) -> None:
    copy = shared / "cat"
    copy.write_bytes((host_root / "bin" / "cat").read_bytes())
    copy.chmod(0o6755)
    volume = Volume(shared, "/srv")
    ended = caller.run(program(host_root, "/srv/cat", "/proc/self/status", volumes=(volume,)))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())

    assert status["Uid"].split() == ["65535"] * 4
    assert int(status["CapEff"], 16) == 0


def test_a_link_in_a_volume_leads_to_the_containers_files(caller: Caller, host_root: Path, shared: Path) -> None:
    (shared / "secret").write_text("of the host")
    volume = shared / "volume"
    volume.mkdir()
    (volume / "link").symlink_to(shared / "secret")
    (volume / "up").symlink_to("../../../../../../..")
    source = f"    print(json.dumps([os.path.exists('/srv/link'), os.path.exists('/srv/up{shared}')]))"

    assert attempt(caller, host_root, source, volumes=(Volume(volume, "/srv"),)) == [False, False]


@pytest.fixture
def neighbour() -> Iterator[subprocess.Popen[bytes]]:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(99)"]) as process:
        yield process
        process.kill()


def test_no_process_outside_is_signalled(caller: Caller, host_root: Path, neighbour: subprocess.Popen[bytes]) -> None:
    source = f"    print(json.dumps([tried(lambda: os.kill({neighbour.pid}, 9)), tried(lambda: os.kill(-1, 9))]))"

    assert attempt(caller, host_root, source) == ["ESRCH", "ESRCH"]  # there's none but itself and process 1
    assert neighbour.poll() is None


def test_a_socket_with_an_abstract_name_is_out_of_reach(caller: Caller, host_root: Path) -> None:
    """The network is the machine's own, which such names belong to."""
    need_landlock(6, "scopes of abstract names")
    with socket.socket(socket.AF_UNIX) as listening:
        listening.bind(f"\0cannery-{os.getpid()}")
        listening.listen()
        source = f"""
    import socket
    listening, other = socket.socket(1), socket.socket(1)
    listening.bind("\\0of-the-program")
    listening.listen()
    other.connect("\\0of-the-program")
    print(json.dumps(tried(lambda: socket.socket(1).connect("\\0cannery-{os.getpid()}"))))
    """
        assert attempt(caller, host_root, source) == "EPERM"


@pytest.mark.slow
@BOTH
def test_processes_memory_and_tmp_have_limits(caller: Caller, host_root: Path, uid: int) -> None:
    if uid == 0 and caller.uid is None and os.geteuid() == 0 and not Path("/sys/fs/cgroup").is_dir():
        pytest.skip("the machine's root is limited by control groups alone")
    source = """
    import signal
    children, said = [], ""
    try:
        for _ in range(60):
            child = os.fork()
            if child == 0:
                signal.pause()
            children.append(child)
    except OSError as error:
        said = errno.errorcode[error.errno]
    full = []
    for place in ("/tmp/x", "/dev/shm/x"):
        def fill():
            with open(place, "wb") as file:
                for _ in range(100):
                    file.write(bytes(1 << 20))
        full.append(tried(fill))
    os.truncate("/tmp/x", 0)
    full.append(tried(lambda: [open(f"/tmp/{number}", "x").close() for number in range(11_000)]))
    print(json.dumps([len(children) < 50, said, *full]))
    os.kill(-1, 9)
    """
    limits = Limits(pids=20, tmp=10 << 20)
    ended = caller.run(script(host_root, f"{TRIES}\n{source}", uid=uid, gid=uid, limits=limits))

    assert ended.stdout == '[true, "EAGAIN", "ENOSPC", "ENOSPC", "ENOSPC"]\n'
    assert ended.code in {0, 128 + signal.SIGKILL}

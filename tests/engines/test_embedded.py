"""The embedded runner, by programs that look around in the container that it makes."""

from __future__ import annotations

import json
import os
import pty
import signal
import socket
import tempfile
import textwrap
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cannery.cache import Cache
from cannery.engines.container import Container, Volume, container_in
from cannery.engines.embedded import run_container
from cannery.engines.rootfs import rootfs
from cannery.engines.syscalls import CLONE_NEWNS, CLONE_NEWUSER, MS_BIND, MS_NODEV, MS_NOSUID, MS_REC, MS_REMOUNT, mount, unshare
from cannery.errors import ImageError
from tests.engines import layers
from tests.engines.callers import Caller, Running

if TYPE_CHECKING:
    from collections.abc import Iterator

ENV = {"PATH": "/bin:/usr/bin", "HOME": "/"}
IMAGE_USER = 65535


def program(root: Path, *argv: str, **options: Any) -> Container:
    return Container(**{"root": root, "argv": argv, "env": ENV, "uid": IMAGE_USER, "gid": IMAGE_USER, **options})


def script(root: Path, source: str, **options: Any) -> Container:
    """A Python program, whose standard error shows why a test fails."""
    return program(root, "python", "-c", textwrap.dedent(source), **options)


def seen(caller: Caller, container: Container) -> Any:
    """The JSON that a program writes."""
    ended = caller.run(container)
    assert ended.code == 0, ended.stderr
    return json.loads(ended.stdout)


# How it ends


@pytest.mark.parametrize("code", [0, 1, 77, 255])
def test_the_exit_code_is_the_programs(caller: Caller, host_root: Path, code: int) -> None:
    assert caller.run(program(host_root, "sh", "-c", f"exit {code}")).code == code


def test_death_by_a_signal_is_128_and_its_number(caller: Caller, host_root: Path) -> None:
    assert caller.run(program(host_root, "sh", "-c", "kill -KILL $$")).code == 128 + signal.SIGKILL


def test_it_may_run_more_than_once_in_a_process(host_root: Path, capfd: pytest.CaptureFixture[str]) -> None:
    codes = [run_container(program(host_root, "sh", "-c", f"echo {code}; exit {code}")) for code in (3, 4)]

    assert (codes, capfd.readouterr().out) == ([3, 4], "3\n4\n")


def test_the_callers_signals_are_afterwards_as_they_were(host_root: Path) -> None:
    before = signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getsignal(signal.SIGCHLD)
    run_container(program(host_root, "true"))

    assert (signal.pthread_sigmask(signal.SIG_BLOCK, ()), signal.getsignal(signal.SIGCHLD)) == before


def test_the_callers_descriptors_are_afterwards_as_they_were(host_root: Path) -> None:
    before = os.listdir("/proc/self/fd")
    run_container(program(host_root, "true"))

    assert os.listdir("/proc/self/fd") == before


@pytest.mark.parametrize(
    ("name", "code", "message"),
    [
        ("nonsense", 127, "the image has no program 'nonsense'"),
        ("/bin/nonsense", 127, "the image has no program '/bin/nonsense'"),
        ("/bin/sh/nonsense", 127, "the image has no program '/bin/sh/nonsense'"),
        ("script", 127, "'script' is in the image, but not what it needs to start"),
        ("/bin/data", 126, "'/bin/data' can't be executed"),
        ("/bin", 126, "'/bin' can't be executed"),
    ],
)
def test_a_program_that_cannot_start_is_named(
    caller: Caller, host_root: Path, name: str, code: int, message: str
) -> None:
    ended = caller.run(program(host_root, name))

    assert ended.code == code
    assert message in ended.stderr


def test_a_working_directory_that_is_not_there_is_named(host_root: Path) -> None:
    with pytest.raises(ImageError, match="can't start in /nowhere"):
        run_container(program(host_root, "true", working_directory="/nowhere"))


def test_a_place_to_mount_on_that_is_not_there_is_named(host_root: Path, tmp_path: Path) -> None:
    with pytest.raises(ImageError, match="mount on /nowhere|on /nowhere"):
        run_container(program(host_root, "true", volumes=(Volume(tmp_path, "/nowhere"),)))


# Signals

TELLS_SIGNALS = """
    import os, signal, sys, time
    from collections import Counter
    counts = Counter()
    def tell(number, frame):
        name = signal.Signals(number).name
        counts[name] += 1
        os.write(1, f"{name} {counts[name]}\\n".encode())
        if name == "SIGUSR2":
            sys.exit(0)
    for name in ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"]:
        signal.signal(getattr(signal, name), tell)
    os.write(1, b"ready\\n")
    while True:
        time.sleep(1)
"""


@pytest.mark.parametrize("name", ["SIGHUP", "SIGINT", "SIGQUIT", "SIGTERM", "SIGUSR1", "SIGUSR2", "SIGWINCH"])
def test_a_signal_to_the_caller_reaches_the_program(caller: Caller, host_root: Path, name: str) -> None:
    running = caller.start(script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready"
    running.kill(signal.Signals[name])
    told = running.read_line()
    running.kill(signal.SIGUSR2)

    assert told == f"{name} 1"
    assert running.wait().code == 0


def test_a_program_that_does_not_handle_sigterm_stops_at_once(caller: Caller, host_root: Path) -> None:
    running = caller.start(program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready"
    running.kill(signal.SIGTERM)

    assert running.wait().code == 128 + signal.SIGTERM


def test_ctrl_c_reaches_the_program_exactly_once(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, script(host_root, TELLS_SIGNALS))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03")
    told = running.read_line()
    running.kill(signal.SIGUSR2)  # it's forwarded after a second SIGINT would be

    assert [told, running.read_line()] == ["^CSIGINT 1\r", "SIGUSR2 1\r"]
    assert os.waitpid(running.pid, 0)[1] == 0


def test_ctrl_c_ends_a_program_that_does_not_handle_it(caller: Caller, host_root: Path) -> None:
    running, terminal = on_a_terminal(caller, program(host_root, "sh", "-c", "echo ready; while :; do :; done"))
    assert running.read_line() == "ready\r"
    os.write(terminal, b"\x03")

    assert os.waitstatus_to_exitcode(os.waitpid(running.pid, 0)[1]) == 128 + signal.SIGINT


def on_a_terminal(caller: Caller, container: Container) -> tuple[Running, int]:
    """Start the caller as the leader of a session on a terminal of its own."""
    pid, terminal = pty.fork()
    if pid == 0:
        caller.become(container)
    return Running(pid, terminal, terminal), terminal


def test_nothing_survives_the_caller(caller: Caller, host_root: Path) -> None:
    running = caller.start(program(host_root, "sh", "-c", "(while :; do :; done) & echo ready; while :; do :; done"))
    assert running.read_line() == "ready"
    running.kill(signal.SIGKILL)

    # The streams end when the last process that has them does.
    assert running.wait().code == -signal.SIGKILL


def test_what_the_program_leaves_running_ends_with_it(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "sh", "-c", "(while :; do :; done) & echo done"))

    assert (ended.code, ended.stdout) == (0, "done\n")


def test_orphans_are_reaped(caller: Caller, host_root: Path) -> None:
    orphan = """
        import os, time
        told, tell = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.write(tell, str(os.getpid()).encode())
                os._exit(0)
            os._exit(0)
        os.wait()
        path = f"/proc/{int(os.read(told, 10))}"
        while os.path.exists(path):
            time.sleep(0.01)
    """
    assert caller.run(script(host_root, orphan)).code == 0


# What it may do


def test_the_program_is_the_images_user(caller: Caller, host_root: Path) -> None:
    look = "import json, os; print(json.dumps([os.getresuid(), os.getresgid()]))"

    assert seen(caller, script(host_root, look)) == [[IMAGE_USER] * 3] * 2


def test_the_supplementary_groups_of_root_are_left_behind(host_root: Path) -> None:
    look = "import json, os; print(json.dumps(os.getgroups()))"
    if os.geteuid() != 0:
        pytest.skip("only root may drop groups")

    assert seen(Caller(None), script(host_root, look)) == []


@pytest.mark.parametrize("uid", [0, IMAGE_USER])
def test_no_capability_is_left_and_none_can_be_gained(caller: Caller, host_root: Path, uid: int) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/self/status", uid=uid))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())

    assert {name: int(value, 16) for name, value in status.items() if name.startswith("Cap")} == dict.fromkeys(
        ("CapInh", "CapPrm", "CapEff", "CapBnd", "CapAmb"), 0
    )
    assert status["NoNewPrivs"] == "1"


def test_the_program_sees_no_process_but_its_own(caller: Caller, host_root: Path) -> None:
    look = """
        import json, os
        print(json.dumps([os.getpid(), os.getppid(), [name for name in os.listdir("/proc") if name.isdigit()]]))
    """
    assert seen(caller, script(host_root, look)) == [2, 1, ["1", "2"]]


def test_the_environment_of_the_host_cannot_be_read_from_process_1(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/1/environ"))

    assert (ended.code, ended.stdout) == (1, "")


def test_every_namespace_is_the_containers_own_but_that_of_the_network(caller: Caller, host_root: Path) -> None:
    kinds = ["ipc", "mnt", "net", "pid", "user", "uts"]
    look = f"import json, os; print(json.dumps([os.readlink('/proc/self/ns/' + kind) for kind in {kinds}]))"
    host = [os.readlink(f"/proc/self/ns/{kind}") for kind in kinds]
    container = seen(caller, script(host_root, look))

    assert [kind for kind, one, other in zip(kinds, host, container, strict=True) if one == other] == ["net"]


def test_a_program_that_is_root_cannot_change_the_machines_settings(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "sh", "-c", "echo x > /proc/sys/kernel/core_pattern", uid=0, gid=0))

    assert ended.code != 0
    assert "Read-only file system" in ended.stderr


def test_what_speaks_of_the_whole_machine_is_hidden(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/keys", "/proc/timer_list", uid=0, gid=0))

    assert (ended.code, ended.stdout) == (0, "")


# What it sees


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
    ended = caller.run(program(host_root, "sh", "-c", "umask"), before=lambda: os.umask(0o077) and None)

    assert ended.stdout == "0022\n"


def test_the_signals_are_as_a_program_expects_them(caller: Caller, host_root: Path) -> None:
    ended = caller.run(program(host_root, "cat", "/proc/self/status"))
    status = dict(line.split(":\t") for line in ended.stdout.splitlines())

    assert [int(status[name], 16) for name in ("SigBlk", "SigIgn", "SigCgt")] == [0, 0, 0]


def test_the_program_starts_in_its_working_directory(caller: Caller, host_root: Path) -> None:
    look = "import json, os; print(json.dumps(os.getcwd()))"

    assert seen(caller, script(host_root, look, working_directory="/work")) == "/work"


def test_every_mount_is_read_only_but_those_that_are_meant_to_be_written(caller: Caller, host_root: Path) -> None:
    look = """
        import json
        mounts = [line.split() for line in open("/proc/self/mountinfo")]
        print(json.dumps([m[4] for m in mounts if "ro" not in m[5].split(",") and not m[4].startswith("/proc/")]))
    """
    assert seen(caller, script(host_root, look)) == ["/proc", "/dev/pts", "/dev/shm", "/tmp"]


@pytest.mark.parametrize("path", ["/file", "/work/file", "/dev/file", "/sys/file", "/etc/hosts"])
def test_nothing_of_the_image_can_be_written(caller: Caller, host_root: Path, path: str) -> None:
    ended = caller.run(program(host_root, "sh", "-c", f"echo x > {path}"))

    assert ended.code != 0
    assert {path.name for path in host_root.iterdir()} >= {"work"}
    assert not [*(host_root / "work").iterdir()]


@pytest.mark.parametrize("path", ["/tmp", "/dev/shm"])
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
    names = "fd full null ptmx pts random shm stderr stdin stdout tty urandom zero".split()
    assert seen(caller, script(host_root, look)) == ["000000", "No space left on device", [4, 4], "/dev/pts/0", names]


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
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(60)
        port = server.getsockname()[1]
        running = caller.start(script(host_root, f"import socket; socket.create_connection(('127.0.0.1', {port}))"))
        server.accept()[0].close()

        assert running.wait().code == 0


def test_standard_input_is_piped_through(caller: Caller, host_root: Path) -> None:
    assert caller.run(program(host_root, "cat"), stdin=b"through and through").stdout == "through and through"


def test_a_large_output_is_piped_through(caller: Caller, host_root: Path) -> None:
    ended = caller.run(script(host_root, "print('0123456789' * 1_000_000, end='')"))

    assert (ended.code, len(ended.stdout)) == (0, 10_000_000)


# Volumes


@pytest.fixture
def shared() -> Iterator[Path]:
    """A folder of the host that any user may write to."""
    with tempfile.TemporaryDirectory(prefix="cannery-shared-") as name:
        folder = Path(name)
        folder.chmod(0o777)
        (folder / "file").write_text("from the host\n")
        yield folder


@pytest.mark.parametrize("read_only", [True, False])
def test_a_volume_shows_a_folder_of_the_host(
    caller: Caller, host_root: Path, shared: Path, *, read_only: bool
) -> None:
    volumes = (Volume(shared, "/work", read_only=read_only),)
    ended = caller.run(program(host_root, "sh", "-c", "cat /work/file; echo new > /work/new", volumes=volumes))

    assert ended.stdout == "from the host\n"
    assert (ended.code != 0, (shared / "new").exists()) == (read_only, not read_only)


def test_a_volume_may_be_a_file(caller: Caller, host_root: Path, shared: Path) -> None:
    volumes = (Volume(shared / "file", "/etc/volume"),)

    assert caller.run(program(host_root, "cat", "/etc/volume", volumes=volumes)).stdout == "from the host\n"


def test_a_volume_with_an_odd_name_is_sealed_too(caller: Caller, host_root: Path, shared: Path) -> None:
    odd = shared / "a b\\c\nd"
    odd.mkdir()
    volumes = (Volume(shared, "/work"), Volume(odd, f"/work/{odd.name}"))
    ended = caller.run(program(host_root, "sh", "-c", "echo x > '/work/a b\\c\nd/x'", volumes=volumes))

    assert ended.code != 0
    assert not [*odd.iterdir()]


def test_a_volume_of_the_image_is_writable_for_its_user_and_forgotten(caller: Caller, host_root: Path) -> None:
    write = program(host_root, "sh", "-c", "echo x > /work/file && cat /work/*", scratch=("/work",))

    assert [caller.run(write).stdout for _ in range(2)] == ["x\n", "x\n"]


# Where the machine is in the way


def in_a_user_namespace() -> None:
    """Make this process root of a user namespace with no other user, as it would be in a container."""
    uid, gid = os.geteuid(), os.getegid()
    unshare(CLONE_NEWUSER | CLONE_NEWNS)
    for name, text in (("setgroups", "deny"), ("uid_map", f"0 {uid} 1"), ("gid_map", f"0 {gid} 1")):
        Path("/proc/self", name).write_text(text)


def test_it_runs_within_a_user_namespace(caller: Caller, host_root: Path) -> None:
    assert caller.run(program(host_root, "sh", "-c", "exit 5"), before=in_a_user_namespace).code == 5


@pytest.mark.parametrize("kind", ["user", "mnt", "pid", "ipc", "uts"])
def test_forbidden_namespaces_are_an_error_that_names_the_setting(caller: Caller, host_root: Path, kind: str) -> None:
    def forbid() -> None:
        in_a_user_namespace()
        Path(f"/proc/sys/user/max_{kind}_namespaces").write_text("0")

    ended = caller.run(program(host_root, "true"), before=forbid)
    assert ended.code == 6
    assert ended.stderr == (
        "this machine refuses to start a container\n"
        "  unshare: No space left on device\n"
        f"  user.max_{kind}_namespaces = 0\n"
        f"Next: sudo sysctl -w user.max_{kind}_namespaces=15000; or run the image with Docker or Podman"
    )


def test_a_proc_that_the_machine_refuses_is_the_hosts(caller: Caller, host_root: Path) -> None:
    def hide_part_of_proc() -> None:
        in_a_user_namespace()
        mount("tmpfs", "/proc/sys", "tmpfs")

    ended = caller.run(program(host_root, "cat", "/proc/self/comm"), before=hide_part_of_proc)
    assert (ended.code, ended.stdout) == (0, "cat\n")


def test_flags_that_a_user_namespace_may_not_take_away_are_kept(caller: Caller, host_root: Path) -> None:
    def lock_flags() -> None:
        in_a_user_namespace()
        root = str(host_root)
        mount(root, root, flags=MS_BIND | MS_REC)
        mount("", root, flags=MS_BIND | MS_REMOUNT | MS_NOSUID | MS_NODEV)

    ended = caller.run(program(host_root, "sh", "-c", "while read line; do echo $line; done < /proc/mounts"), before=lock_flags)
    assert ended.code == 0, ended.stderr
    assert [line.split()[3].split(",")[:3] for line in ended.stdout.splitlines() if line.split()[1] == "/"] == [
        ["ro", "nosuid", "nodev"]
    ]


def test_a_file_system_that_executes_nothing_is_named(host_root: Path) -> None:
    MS_NOEXEC = 8  # noqa: N806  # its name in mount(2)

    def forbid_execution() -> None:
        in_a_user_namespace()
        root = str(host_root)
        mount(root, root, flags=MS_BIND | MS_REC)
        mount("", root, flags=MS_BIND | MS_REMOUNT | MS_NOEXEC)

    ended = Caller(None).run(program(host_root, "/bin/true"), before=forbid_execution)
    assert ended.code == 6
    assert f"nothing may be executed below {host_root}" in ended.stderr


# From an image


def test_an_image_is_unpacked_and_run(host_root: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    files = [path for path in host_root.rglob("*") if path.is_file() and "python" not in str(path)]
    base = [layers.file(str(path.relative_to(host_root)), path.read_bytes(), mode=0o755) for path in files]
    settings = {"Entrypoint": ["/bin/sh", "-c", 'echo "$GREETING $HOME $1"; exit 9', "sh"], "Cmd": ["you"]}
    image = layers.image(
        [
            layers.layer(tmp_path, *base, name="base"),
            layers.layer(tmp_path, layers.file("etc/passwd", b"app:x:1000:1000::/home/app:/bin/sh\n")),
        ],
        {**settings, "User": "app", "Env": ["GREETING=hello"], "WorkingDir": "/srv/app"},
    )
    root = rootfs(image, Cache(tmp_path / "cache"))

    codes = [run_container(container_in(root, image.config, args)) for args in ((), ("all",))]
    assert (codes, capfd.readouterr().out) == ([9, 9], "hello /home/app you\nhello /home/app all\n")

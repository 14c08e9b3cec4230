"""How a container starts and ends."""

from __future__ import annotations

import signal
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.containers.sandbox.container import Volume, container_in
from cannery.containers.sandbox.rootfs import rootfs
from cannery.containers.sandbox.runner import run_container
from cannery.errors import ImageError
from cannery.workspace.cache import Cache
from tests.support import layers
from tests.support.sandbox_programs import program

if TYPE_CHECKING:
    from tests.support.sandbox_callers import Caller


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


def test_a_caller_that_ignores_its_children_gets_the_exit_code_too(host_root: Path) -> None:
    before = signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    try:
        assert run_container(program(host_root, "sh", "-c", "exit 8")) == 8
        assert signal.getsignal(signal.SIGCHLD) is signal.SIG_IGN
    finally:
        signal.signal(signal.SIGCHLD, before)


def descriptors() -> list[str]:
    return sorted(path.name for path in Path("/proc/self/fd").iterdir())


def test_the_callers_descriptors_are_afterwards_as_they_were(host_root: Path) -> None:
    before = descriptors()
    run_container(program(host_root, "true"))

    assert descriptors() == before


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
    with pytest.raises(ImageError, match="on /nowhere: No such file"):
        run_container(program(host_root, "true", volumes=(Volume(tmp_path, "/nowhere"),)))


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

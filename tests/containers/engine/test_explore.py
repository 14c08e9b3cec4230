"""``cannery explore``: a prompt inside an image, and nothing left of it."""

from __future__ import annotations

import io
import re
import signal
import subprocess
import sys
import tarfile
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.containers.engine.conftest import cannery
from tests.support.python_prompt import interrupt

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def with_shell(service: Service, host_root: Path) -> str:
    """An image that has a shell."""
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        for name in ("bin", "lib", "lib64"):
            if (host_root / name).exists():
                tar.add(host_root / name, name)
    service.client.import_image_from_data(archive.getvalue(), repository="with-shell", tag="latest")
    return "with-shell:latest"


@pytest.fixture(scope="session")
def static_program(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """A root filesystem with one program that needs nothing and doesn't wait."""
    folder = tmp_path_factory.mktemp("static")
    (folder / "program.c").write_text('#include <stdio.h>\nint main(void) { puts("static"); return 7; }\n')
    subprocess.run(["gcc", "-static", "-o", folder / "program", folder / "program.c"], check=True)
    archive = io.BytesIO()
    with tarfile.open(fileobj=archive, mode="w") as tar:
        tar.add(folder / "program", "program")
    return archive.getvalue()


@pytest.fixture
def with_nothing(service: Service, static_program: bytes) -> str:
    """An image that has neither a shell nor Python."""
    service.client.import_image_from_data(
        static_program, repository="with-nothing", tag="latest", changes=["USER 1234:1234"]
    )
    return "with-nothing:latest"


def spawn(project: Path, *arguments: str) -> pexpect.spawn[str]:
    command = ["-m", "cannery", "explore", *arguments]
    return pexpect.spawn(sys.executable, command, cwd=str(project), encoding="utf-8", dimensions=(31, 77), timeout=60)


def test_an_image_without_a_shell_gives_its_own_python(service: Service, project: Path) -> None:
    child = spawn(project)
    child.expect("as container 'dev' in .*, its own Python /usr/local/bin/python3")
    child.expect(">>> ")
    child.sendline("import os; print(os.getuid(), *os.get_terminal_size(), os.listdir('/app'))")
    child.expect(r"1234 77 31 \['main.pyc'\]")
    assert service.containers() == ["/dev"]
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert service.containers() == []


def test_an_image_with_a_shell_gives_that(service: Service, project: Path, with_shell: str) -> None:
    child = spawn(project, "--image", with_shell, "--name", "other")
    child.expect("as container 'other' in .*, its shell /bin/sh")
    child.expect("# ")
    assert service.containers() == ["/other"]
    child.sendline("exit 7")
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 7
    assert service.containers() == []


def test_an_image_with_neither_gives_a_toolbox_over_its_own_root(
    service: Service, project: Path, with_nothing: str
) -> None:
    child = spawn(project, "--image", with_nothing)
    child.expect("as container 'dev' in .*, a toolbox's Python in /.cannery")
    child.expect(">>> ")
    assert service.containers() == ["/dev"]
    child.sendline("ls('/')")
    child.expect(r"-rwxr-xr-x +0:0 +\d+ \d{4}-\d\d-\d\d \d\d:\d\d program\r\n")
    child.sendline("run('/program'), __import__('os').getuid()")
    child.expect(r"static\r\n\(7, 1234\)")
    child.expect(">>> ")
    interrupt(child)
    child.sendeof()
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 0
    assert service.containers() == []


def test_ctrl_c_is_the_prompt_s(service: Service, project: Path) -> None:
    child = spawn(project)
    child.expect(">>> ")
    interrupt(child)
    child.expect(">>> ")
    child.sendeof()
    child.expect(pexpect.EOF)
    assert service.containers() == []


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
def test_a_session_that_is_ended_leaves_nothing(service: Service, project: Path, number: signal.Signals) -> None:
    child = spawn(project)
    child.expect(">>> ")
    child.kill(number)
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 128 + number
    assert service.containers() == []


def test_a_container_that_is_there_is_offered_and_left_alone(service: Service, project: Path) -> None:
    first = spawn(project)
    first.expect(">>> ")
    second = spawn(project)
    second.expect("there is a container 'dev' .* enter it")
    second.sendline("y")
    second.expect(">>> ")
    second.sendeof()
    second.expect(pexpect.EOF)
    assert service.containers() == ["/dev"]
    done = cannery("explore", cwd=project)
    assert done.returncode == 6
    assert "there is a container 'dev' already" in done.stderr
    first.sendeof()
    first.expect(pexpect.EOF)
    assert service.containers() == []


def test_what_is_piped_in_is_run(service: Service, project: Path) -> None:
    done = cannery("explore", cwd=project, stdin="print(6 * 7)\n")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    assert service.containers() == []


def test_what_is_piped_into_a_toolbox_is_run(service: Service, project: Path, with_nothing: str) -> None:
    done = cannery("explore", "--image", with_nothing, cwd=project, stdin="find('prog*'); cat('/etc/hostname')\n")
    assert done.returncode == 0, done.stderr
    name = done.stdout.removeprefix("/program\n").strip()
    assert len(name) == len("0123456789ab"), done.stdout
    assert service.containers() == []


def test_an_image_that_is_not_there_is_told(service: Service, project: Path) -> None:
    done = cannery("explore", "--image", "127.0.0.1:1/nobody/has-this:1", cwd=project)
    assert done.returncode == 10
    assert "the registry 127.0.0.1:1 can't be reached" in done.stderr
    assert service.containers() == []


def test_without_an_engine_the_image_s_python_is_run_by_cannery(project: Path) -> None:
    done = cannery("explore", cwd=project, stdin="import os; print(os.getuid())\n")
    assert (done.returncode, done.stdout) == (0, "1234\n"), done.stderr
    assert "without an engine, its own Python" in done.stderr


@pytest.fixture
def base(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """A base that the settings name: any image can be one."""
    (tmp_path / "main.py").write_text("print('base')\n")
    done = cannery("image", "--engine=none", "--output=base.tar", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    monkeypatch.setenv("CANNERY_BASE", f"docker-archive:{tmp_path}/base.tar")
    return f"docker-archive:{tmp_path}/base.tar"


def test_the_base_is_explored_and_can_be_pruned(service: Service, project: Path, base: str) -> None:
    for arguments in (["--base"], [f"--base={base}"]):
        done = cannery("explore", *arguments, cwd=project, stdin="print(6 * 7)\n")
        assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
        assert re.search(r"cannery-base:\w{12} as container 'dev'", done.stderr)
    assert service.containers() == []
    shown = cannery("prune", "--dry-run", cwd=project).stdout
    assert "cannery-base:" in shown
    cannery("prune", "--yes", cwd=project)
    assert "cannery-base:" not in str(service.client.images())


@pytest.mark.usefixtures("base")
def test_the_base_is_explored_without_an_engine(project: Path) -> None:
    done = cannery("explore", "--base", cwd=project, stdin="print(6 * 7)\n")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr


def test_an_archive_is_explored_without_an_engine(project: Path, base: str) -> None:
    done = cannery("explore", f"--image={base.partition(':')[2]}", cwd=project, stdin="print(6 * 7)\n")
    assert (done.returncode, done.stdout) == (0, "42\n"), done.stderr
    absent = cannery("explore", "--image=gone.tar", cwd=project)
    assert (absent.returncode, absent.stderr.splitlines()[0]) == (8, "error: there is no image at gone.tar")


def test_a_recipe_without_a_base_has_none_to_explore(project: Path) -> None:
    done = cannery("explore", "--base", cwd=project)
    assert done.returncode == 2
    assert "there is no base image to explore" in done.stderr

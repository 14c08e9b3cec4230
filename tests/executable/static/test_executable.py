"""What works inside a static executable, in an image on scratch, read-only and as user 65535."""

from __future__ import annotations

import http.server
import importlib.util
import json
import os
import shutil
import signal
import socket
import ssl
import subprocess
import sys
import threading
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.executable.static.conftest import Probe

pytestmark = pytest.mark.once


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[int, Path]]:
    """A server that speaks TLS, and the certificate to check it by."""
    folder = tmp_path_factory.mktemp("tls")
    key, certificate = folder / "key.pem", folder / "certificate.pem"
    command = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", "-subj", "/CN=localhost"]
    command += ["-addext", "subjectAltName=DNS:localhost", "-keyout", str(key), "-out", str(certificate)]
    subprocess.run(command, check=True, capture_output=True)

    class Handler(http.server.BaseHTTPRequestHandler):
        def do_GET(self) -> None:  # http.server's own name for it
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"secret")

        def log_message(self, *_: object) -> None: ...

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler) as listening:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(certificate, key)
        listening.socket = context.wrap_socket(listening.socket, server_side=True)
        threading.Thread(target=listening.serve_forever, daemon=True).start()
        yield listening.server_port, certificate
        listening.shutdown()


@pytest.fixture
def forbidding() -> tuple[str, ...]:
    """What begins a command that may not execute memory files (Linux 6.3, sysctl vm.memfd_noexec)."""
    if not Path("/proc/sys/vm/memfd_noexec").exists() or os.getuid() != 0:
        pytest.skip("only root can forbid memory files, on Linux 6.3 and later")
    script = 'echo 2 > /proc/sys/vm/memfd_noexec && exec "$@"'
    return ("unshare", "--pid", "--fork", "--mount-proc", "sh", "-c", script, "sh")


def test_it_runs_read_only_as_nobody_with_the_paths_of_an_ordinary_image(probe: Probe) -> None:
    told = probe.run("where").stdout
    assert told.startswith("/app/probe/checks.py ['/usr/local/bin/probe', 'where'] ['/app', ")
    assert " 65535 " in told


def test_the_package_s_data_is_found(probe: Probe) -> None:
    assert probe.run("resources").stdout.split() == ["grüezi"] * 3


def test_metadata_entry_points_and_modules_are_found(probe: Probe) -> None:
    assert probe.run("metadata").stdout.splitlines() == [
        "1.2.3",
        "['first']",
        "['__main__', 'checks', 'cli', 'working']",
    ]


@pytest.mark.parametrize("method", ["fork", "spawn", "forkserver"])
def test_processes_of_a_pool_work(probe: Probe, method: str) -> None:
    assert probe.run("pool", method).stdout == "[0, 1, 4, 9] True\n"


def test_sys_executable_is_a_python(probe: Probe) -> None:
    command, module, script = probe.run("python").stdout.splitlines()
    assert command == "['-c', '-x']"
    assert module.startswith("/app/probe/checks.py ['/app/probe/__main__.py', 'where']")
    assert script == "['3']"


def test_a_server_s_certificate_is_checked(probe: Probe, make_probe: Probe, server: tuple[int, Path]) -> None:
    port, certificate = server
    address = f"https://localhost:{port}/"
    assert "CERTIFICATE_VERIFY_FAILED" in probe.run("untrusted", address).stdout
    shutil.copy(certificate, make_probe.project)
    make_probe.configure('\n[tool.cannery]\nca-certificates = "certificate.pem"\n')
    make_probe.build()
    assert make_probe.run("tls", address).stdout == "200 secret OpenSSL\n"


def test_names_are_resolved(probe: Probe) -> None:
    assert probe.run("names").stdout.splitlines() == ["127.0.0.1", "b'xn--bcher-kva.example'"]


def test_the_libraries_in_c_are_real(probe: Probe) -> None:
    assert probe.run("libraries").stdout.splitlines() == [
        "SQLITE",
        "same same same",
        "c672b8d1 0.1428571428571428571428571429",
        "[-1074.0, -1065.0, 0.0, 1023.0]",
        "42 1",
    ]


def test_errors_of_the_system_are_told(probe: Probe) -> None:
    assert probe.run("errors").stdout == 2 * "[Errno 9] Bad file descriptor\n"


def test_what_starts_is_a_script_and_no_part_of_a_package(probe: Probe) -> None:
    assert probe.run("package").stdout == "None\n"


def test_what_is_garbage_before_an_import_ends_is_collected(probe: Probe) -> None:
    assert probe.run("collector").stdout == "True True\n"


@pytest.mark.parametrize(
    ("arguments", "shown"),
    [
        (["ending", "object"], "told\nfinalized\n"),
        (["ending", "file"], "told\nflushed\n"),
        (["ending", "callbacks"], "told\nseen\n"),
        (["ending", "plain"], "told\n"),
        (["thread"], "finalized\nworked\n"),
    ],
)
def test_what_has_work_at_its_end_does_it(probe: Probe, arguments: list[str], shown: str) -> None:
    assert probe.run(*arguments).stdout == shown


def test_classes_have_signatures(probe: Probe) -> None:
    assert probe.run("signatures").stdout == "Plain() () (number: int) -> tuple[int, int]\n"


def test_time_zones_are_there(probe: Probe) -> None:
    assert probe.run("zones").stdout == "2:00:00\n"


def test_some_frame_has_a_file_that_exists(probe: Probe) -> None:
    assert probe.run("frames").stdout == "<module>\n"


def test_a_traceback_shows_files_and_lines(probe: Probe) -> None:
    failed = probe.run("fail", check=False)
    lines = (probe.project / "probe/checks.py").read_text(encoding="utf-8").splitlines()
    line = next(number for number, text in enumerate(lines, 1) if "raise ValueError" in text)
    assert failed.returncode == 1
    assert f'File "/app/probe/checks.py", line {line}, in fail' in failed.stderr
    assert f"/app/probe/checks.py:{line - 1}: UserWarning: careful" in failed.stderr


def test_exit_codes_come_out(probe: Probe) -> None:
    assert probe.run("leave", "7", check=False).returncode == 7


def test_nothing_is_unpacked_and_signals_end_it(probe: Probe, tmp_path: Path) -> None:
    program = probe.program(tmp_path)
    before = set(tmp_path.iterdir())
    running = subprocess.Popen([program, "wait"], stdout=subprocess.PIPE, env={"TMPDIR": str(tmp_path)}, text=True)
    assert running.stdout is not None
    with running.stdout:
        assert running.stdout.readline() == "ready\n"
        assert set(tmp_path.iterdir()) == before
        running.send_signal(signal.SIGINT)
        assert running.wait(10) == -signal.SIGINT


def test_python_s_variables_are_not_heeded(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "json.py").write_text("raise SystemExit('mine')")
    done = subprocess.run(
        [probe.program(tmp_path), "where"],
        env={"PYTHONPATH": str(tmp_path)},
        capture_output=True,
        text=True,
        check=True,
    )
    assert str(tmp_path) not in done.stdout.partition("] [")[2]


def test_python_s_options_are_the_app_s_where_no_app_called(probe: Probe, tmp_path: Path) -> None:
    done = subprocess.run([probe.program(tmp_path), "-c", "1"], capture_output=True, text=True, check=False)
    assert "no attribute '-c'" in done.stderr


def test_a_link_called_python_is_one(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "python3").symlink_to(probe.program(tmp_path))
    done = subprocess.run([tmp_path / "python3", "-c", "print(6 * 7)"], capture_output=True, text=True, check=True)
    assert done.stdout == "42\n"


def test_an_app_whose_name_begins_like_python_s_is_none(probe: Probe, tmp_path: Path) -> None:
    (tmp_path / "python-probe").symlink_to(probe.program(tmp_path))
    done = subprocess.run([tmp_path / "python-probe", "-c", "1"], capture_output=True, text=True, check=False)
    assert "no attribute '-c'" in done.stderr


def test_an_xz_packed_one_and_one_without_ssl_run_too(make_probe: Probe) -> None:
    make_probe.configure('\n[tool.cannery.static]\nwithout = ["ssl"]\npacking = "xz"\n')
    make_probe.build()
    with socket.create_server(("localhost", 0)) as listening:  # some Pythons ask for TLS only once they are connected
        failed = make_probe.run("tls", f"https://localhost:{listening.getsockname()[1]}/", check=False)
    assert "ssl isn't in this program: [tool.cannery.static] without names it" in failed.stderr
    assert make_probe.run("pool", "spawn").stdout == "[0, 1, 4, 9] True\n"


def test_where_memory_files_may_not_be_executed_one_that_is_not_packed_runs(
    probe: Probe, make_probe: Probe, forbidding: tuple[str, ...], tmp_path: Path
) -> None:
    packed = [*forbidding, str(probe.program(tmp_path / "packed")), "where"]
    refused = subprocess.run(packed, capture_output=True, text=True, check=False)
    assert refused.returncode == 71
    assert refused.stderr == (
        "error: this program can't be unpacked into memory: memfd_create: Permission denied\n"
        'Next: where executable memory files are forbidden, build it with  packing = "none"\n'
    )
    make_probe.configure('\n[tool.cannery.static]\npacking = "none"\n')
    make_probe.build()
    plain = [*forbidding, str(make_probe.program(tmp_path / "plain")), "where"]
    assert subprocess.run(plain, capture_output=True, text=True, check=True).stdout.startswith("/app/probe/checks.py ")
    assert make_probe.run("pool", "spawn").stdout == "[0, 1, 4, 9] True\n"


def test_another_folder_and_an_empty_cache_make_the_same_image(probe: Probe, make_probe: Probe, tmp_path: Path) -> None:
    make_probe.environment |= {"CANNERY_CACHE": str(tmp_path / "empty"), "ZIG_GLOBAL_CACHE_DIR": ""}
    make_probe.build()
    assert (make_probe.project / "dist/probe.tar").read_bytes() == (probe.project / "dist/probe.tar").read_bytes()


def test_an_extension_module_is_refused_by_name_with_who_imports_it(make_probe: Probe) -> None:
    found = importlib.util.find_spec("_ctypes")
    assert found is not None
    assert found.origin is not None
    shutil.copy(found.origin, make_probe.project / "probe/fast.abi3.so")
    refused = make_probe.build(check=False)
    assert refused.returncode == 3
    assert "error: probe can't be loaded by a static executable" in refused.stderr
    assert "probe/fast.abi3.so: it is for the C library glibc" in refused.stderr
    assert "take the recipe tiny or scratch" in refused.stderr


@pytest.mark.parametrize("packing", ["none", "zstd"])
def test_an_audit_says_that_modules_are_in_it(packing: str, make_probe: Probe) -> None:
    make_probe.configure(f'\n[tool.cannery.static]\npacking = "{packing}"\n')
    command = [sys.executable, "-m", "cannery", "audit", "--recipe", "static", "--json"]
    done = subprocess.run(command, cwd=make_probe.project, env=make_probe.environment, capture_output=True, check=True)
    found = {finding["id"]: finding["message"] for finding in json.loads(done.stdout)["findings"]}
    assert "cannery's archive of modules; what is in it was not looked at" in found["CAN109"]

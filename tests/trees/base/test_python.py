"""The Python of a base is found in its files, for whatever platform they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import RequirementsError, RuntimeTreeError
from cannery.image.platform import Platform
from cannery.image.rootfs import Root
from cannery.trees.base.python import find_python, target_of
from tests.support.base_images import GLIBC, MUSL, program
from tests.support.elf_files import compile_c

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

PATH = ("/usr/local/bin", "/usr/bin")
AMD64 = Platform("linux", "amd64")


def root(folder: Path, files: dict[str, bytes | str]) -> Root:
    """A root of ``files``; texts that start with -> are links."""
    for name, content in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif content.startswith("->"):
            path.symlink_to(content[2:])
        else:
            path.write_text(content)
    return Root(folder)


def official(folder: Path, **more: bytes | str) -> Root:
    """Laid out as ``python:3.11-slim`` is: Python in /usr/local, merged /usr."""
    return root(
        folder,
        {
            "usr/local/bin/python3.11": program("/lib64/ld-linux-x86-64.so.2"),
            "usr/local/bin/python3": "->python3.11",
            "usr/local/lib/python3.11/os.py": "",
            "usr/local/lib/python3.11/site.py": "# site-packages",
            "usr/lib/x86_64-linux-gnu/libc.so.6": GLIBC,
            "usr/lib/x86_64-linux-gnu/ld-linux-x86-64.so.2": b"",
            "usr/lib64/ld-linux-x86-64.so.2": "->../lib/x86_64-linux-gnu/ld-linux-x86-64.so.2",
            "lib64": "->usr/lib64",
            "lib": "->usr/lib",
            **more,
        },
    )


def test_the_official_image_s_python_is_found(tmp_path: Path) -> None:
    python = find_python(official(tmp_path), PATH, "base")
    assert (python.path, python.version) == ("/usr/local/bin/python3.11", (3, 11, 9))
    assert python.site_packages == "/usr/local/lib/python3.11/site-packages"
    assert (python.libc, python.libc_version) == ("glibc", (2, 36))


def test_uv_is_told_the_python_and_the_platform(tmp_path: Path) -> None:
    python = find_python(official(tmp_path), PATH, "base")
    options = ("--python-version=3.11.9", "--python-platform=x86_64-manylinux_2_36")
    assert target_of(python, AMD64, "base").options == options
    arm = target_of(python, Platform("linux", "arm64", "v8"), "base")
    assert arm.options[1] == "--python-platform=aarch64-manylinux_2_36"


def test_a_platform_that_uv_has_no_name_for_is_an_error(tmp_path: Path) -> None:
    python = find_python(official(tmp_path), PATH, "base")
    with pytest.raises(RequirementsError, match="wheels for linux/s390x can't be chosen from here"):
        target_of(python, Platform("linux", "s390x"), "base")


def test_the_search_path_decides_which_python_it_is(tmp_path: Path) -> None:
    other: dict[str, bytes | str] = {
        "opt/bin/python3.12": program("/lib64/ld-linux-x86-64.so.2", "3.12.1"),
        "opt/bin/python3": "->python3.12",
        "opt/lib/python3.12/os.py": "",
    }
    base = official(tmp_path, **other)
    assert find_python(base, ("/opt/bin", *PATH), "base").version == (3, 12, 1)
    assert find_python(base, PATH, "base").version == (3, 11, 9)


def test_a_script_of_that_name_is_no_python(tmp_path: Path) -> None:
    base = official(tmp_path, **{"opt/bin/python3": "#!/bin/sh\n"})
    assert find_python(base, ("/opt/bin", *PATH), "base").path == "/usr/local/bin/python3.11"


def test_debian_s_own_python_looks_for_packages_elsewhere(tmp_path: Path) -> None:
    base = root(
        tmp_path,
        {
            "usr/bin/python3.11": program("/lib64/ld-linux-x86-64.so.2"),
            "usr/bin/python3": "->python3.11",
            "usr/lib/python3.11/os.py": "",
            "usr/lib/python3.11/site.py": "dist-packages",
            "bin": "->usr/bin",
            "lib": "->usr/lib",
            "usr/lib/x86_64-linux-gnu/libc.so.6": GLIBC,
        },
    )
    python = find_python(base, ("/bin",), "base")
    assert (python.path, python.site_packages) == ("/usr/bin/python3.11", "/usr/local/lib/python3.11/dist-packages")


def test_alpine_s_python_runs_on_musl(tmp_path: Path) -> None:
    base = root(
        tmp_path,
        {
            "usr/bin/python3.12": program("/lib/ld-musl-x86_64.so.1", "3.12.3"),
            "usr/bin/python3": "->python3.12",
            "usr/lib/python3.12/os.pyc": "",
            "lib/ld-musl-x86_64.so.1": MUSL,
        },
    )
    python = find_python(base, PATH, "base")
    assert (python.libc, python.libc_version) == ("musl", (1, 2))
    assert python.site_packages == "/usr/lib/python3.12/site-packages"
    assert target_of(python, AMD64, "base").options[1] == "--python-platform=x86_64-unknown-linux-musl"


def test_the_version_may_stand_in_the_library(tmp_path: Path) -> None:
    """As it does where Python is built with a shared library."""
    name = "libpython3.11.so.1.0"
    version, main = 'const char *v = "3.11.4";', "int main(void) { return 0; }"
    shared = compile_c(version, tmp_path / name, "-shared", "-fPIC", f"-Wl,-soname,{name}")
    linked = compile_c(main, tmp_path / "python", "-Wl,--no-as-needed", str(shared))
    files = {
        "usr/local/bin/python3.11": linked.read_bytes(),
        f"usr/local/lib/{name}": shared.read_bytes(),
    }
    assert find_python(official(tmp_path / "root", **files), PATH, "base").version == (3, 11, 4)


def test_a_base_with_no_python_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(RuntimeTreeError, match="the base busybox has no Python") as raised:
        find_python(root(tmp_path, {"bin/sh": b"\x7fELF"}), PATH, "busybox")
    assert "/usr/local/bin, /usr/bin" in raised.value.evidence


def test_a_python_on_another_c_library_is_an_error(tmp_path: Path) -> None:
    base = official(tmp_path, **{"usr/local/bin/python3.11": program("/lib/ld-uClibc.so.0")})
    (tmp_path / "usr/lib/x86_64-linux-gnu/libc.so.6").unlink()
    with pytest.raises(RuntimeTreeError, match="which C library") as raised:
        find_python(base, PATH, "base")
    assert "/lib/ld-uClibc.so.0" in raised.value.evidence

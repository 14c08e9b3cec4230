"""Extension modules in a static executable: a wheel for musl with all that one can ask of a dynamic linker."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from cannery.executable.kit.kit import given_kit
from cannery.executable.kit.toolchain import BuildTarget, ZigToolchain, native_target, target_for, toolchain
from cannery.workspace.cache import Cache
from cannery.workspace.workspace import Workspace
from tests.support.emulator import on_arm64, require_qemu
from tests.support.prerequisites import absent
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from collections.abc import Mapping

pytestmark = pytest.mark.once

HERE = Path(__file__).parent / "shared"
_PYPROJECT = """
[project]
name = "loads"
version = "1"
dependencies = ["library"]
[tool.cannery]
entry = "main.py"
python = "{python}"
[tool.cannery.static]
packing = "{packing}"
"""


class Made:
    """A wheel of each kind that a project may publish, and a project that requires them."""

    def __init__(self, folder: Path, kit: Path, cache: Path, target: BuildTarget) -> None:
        workspace = Workspace(Cache(cache))
        self.tools = toolchain(target, workspace)
        given = given_kit(kit, target.platform, workspace)
        self.include, version = given.include, given.interpreter.version
        self.machine = target.triple.partition("-")[0]
        self.python = f"cp{version[0]}{version[1]}"
        self.module = f"library/fast.cpython-{version[0]}{version[1]}-{self.machine}-linux-musl.so"
        self.site = given.interpreter.image_site_packages
        self.folder, self.kit, self.platform = folder, kit, target.platform
        self.wheels = folder / "wheels"
        self.wheels.mkdir(parents=True)
        told = {"CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache), **only_from(self.wheels)}
        self.environment = {**os.environ, **told}
        self.project = shutil.copytree(HERE, folder / "loads", ignore=shutil.ignore_patterns("*.c"))
        self.configure("none")

    def configure(self, packing: str, more: str = "") -> None:
        text = _PYPROJECT.format(packing=packing, python=f"3.{self.python[3:]}") + more
        (self.project / "pyproject.toml").write_text(text, encoding="utf-8")

    def publish(self, tags: Mapping[str, Mapping[str, bytes]]) -> None:
        for tag, files in tags.items():
            name = f"{self.python}-{self.python}-{tag}_{self.machine}"
            make_wheel(self.wheels, "library", tag=name, files={"library/__init__.py": b"", **files})

    def task(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "cannery", *arguments, "--recipe=static", f"--platform={self.platform}"]
        return subprocess.run(
            command, cwd=self.project, env=self.environment, capture_output=True, text=True, check=False
        )


def compiled(tools: ZigToolchain, folder: Path, name: str, *options: str) -> Path:
    """A shared library for musl, of a source beside this file or of nothing."""
    folder.mkdir(exist_ok=True)
    command = (*tools.compiler, "-shared", "-fPIC", "-O1", "-w", *options, "-o", str(folder / name))
    tools.run(*command, cwd=HERE)
    return folder / name


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory, kit: Path, cache: Path) -> Made:
    """What :func:`published` makes, for this machine."""
    return published(Made(tmp_path_factory.mktemp("extensions"), kit, cache, native_target()))


def published(made: Made) -> Made:
    """With a module that needs a library beside it, by its search path, and the system's zlib."""
    parts = made.folder / "parts"
    zlib = parts / "zlib.c"
    parts.mkdir()
    zlib.write_text("const char *zlibVersion(void) { return 0; }\n", encoding="utf-8")
    compiled(made.tools, parts, "libz.so.1", str(zlib), "-Wl,-soname,libz.so.1")
    helper = compiled(made.tools, parts, "libhelper-1.so", "helper.c", "-Wl,-soname,libhelper-1.so")
    needs = (f"-I{made.include}", str(helper), str(parts / "libz.so.1"), "-Wl,-rpath,$ORIGIN/../library.libs")
    fast = compiled(made.tools, parts, "fast.so", "fast.c", *needs)
    files = {made.module: fast.read_bytes(), "library.libs/libhelper-1.so": helper.read_bytes()}
    glibc = {made.module.replace("musl", "gnu"): b"\x7fELF of glibc"}
    made.publish({"manylinux_2_17": glibc, "musllinux_1_2": files})
    return made


def program_of(made: Made) -> Path:
    result = made.task("freeze")
    assert result.returncode == 0, result.stderr
    (program,) = (made.project / "dist").glob("loads-static*")
    return program


def check(found: dict[str, Any], made: Made) -> None:
    """The answer of ``shared/main.py`` is what it is under an ordinary Python with musl."""
    assert (found["constructed"], found["helper"], found["weak"]) == (1, 7, 0)
    assert found["zlib"].startswith("1.")  # the kit's, and not the one that it was linked with
    module = f"{made.site}/{made.module}"
    assert found["file"] == found["dladdr"] == module
    assert found["loaded"][1:] == ["libz.so.1", module, f"{made.site}/library/../library.libs/libhelper-1.so"]
    assert found["main thread"] == 41
    assert found["threads"] == [[41, 42]] * 2
    assert found["processes"] == [42, 41, 41]
    assert found["executable"] == 41
    assert found["modules"] == ["fast"]
    assert found["beside"] == 8  # the same library, by another path
    assert found["absent"].startswith("Error loading shared library libnowhere.so.1: No such file")
    assert found["itself"] == [True, True, True, 1]  # functions that nothing but ctypes asks for


@pytest.mark.parametrize("packing", ["none", "zstd"])
def test_a_wheel_for_musl_is_loaded_out_of_the_executable(packing: str, built: Made) -> None:
    built.configure(packing)
    assert built.task("image", "--engine=none").returncode == 0
    ran = built.task("run", "--engine=none")
    found = json.loads(ran.stdout)
    check(found, built)
    assert found["unpacked"] == []
    assert ran.stderr.count("destroyed\n") >= 1


@pytest.mark.skipif(os.uname().machine == "aarch64", reason="it's this machine's own platform")
def test_so_it_is_on_64_bit_arm(tmp_path: Path, kits: Path, cache: Path) -> None:
    require_qemu()
    if not any(kits.glob("*-linux-arm64.kit")):
        absent(f"a kit for linux/arm64 in {kits}")
    made = published(Made(tmp_path, kits, cache, target_for("linux/arm64")))
    ran = subprocess.run(on_arm64(str(program_of(made))), capture_output=True, text=True, check=True)
    check(json.loads(ran.stdout), made)


def test_nothing_but_the_executable_is_needed_not_even_proc(built: Made, tmp_path: Path) -> None:
    built.configure("none")
    shutil.copy(program_of(built), tmp_path / "program")
    ask = "import library.fast as f; print(f.count(), f.about()['helper'])"
    (tmp_path / "python").symlink_to("program")
    command = ["unshare", "--user", "--map-root-user", "chroot", str(tmp_path), "/python", "-c", ask]
    assert subprocess.run(command, capture_output=True, text=True, check=True).stdout == "41 7\n"


def test_the_app_s_own_modules_are_compiled_and_loaded(built: Made) -> None:
    main = "import own\nif __name__ == '__main__':\n    print(type(own.f).__name__, own.f(2), own.__file__)\n"
    (built.project / "compiled.py").write_text(main, encoding="utf-8")
    (built.project / "own.py").write_text("def f(x: int):\n    return x * 21\n", encoding="utf-8")
    built.configure("none")
    text = (built.project / "pyproject.toml").read_text(encoding="utf-8")
    told = text.replace('entry = "main.py"', 'entry = "compiled.py"\ncompile = true')
    (built.project / "pyproject.toml").write_text(told, encoding="utf-8")
    answer = subprocess.run([program_of(built)], capture_output=True, text=True, check=True).stdout
    name = built.module.partition("/")[2].replace("fast", "own")
    assert answer == f"cython_function_or_method 42 /app/{name}\n"


@pytest.fixture
def broken(tmp_path: Path, kit: Path, cache: Path) -> Made:
    """A project whose wheel is still to be published."""
    made = Made(tmp_path, kit, cache, native_target())
    (made.project / "main.py").write_text("from library import fast\n", encoding="utf-8")
    return made


@pytest.mark.parametrize(
    ("source", "options", "why"),
    [
        ("int f(void); int g(void) { return f() + nobody(); }", (), "it asks for f, nobody, which nothing here has"),
        ("", ("-Wl,-soname,x.so", "-Wl,--no-as-needed", "{absent}"), "it needs libabsent.so.3, which neither"),
        (None, (), "it can't be read as a shared library: "),
    ],
    ids=["symbol", "library", "damaged"],
)
def test_what_nobody_has_is_refused_by_its_name(
    source: str | None, options: tuple[str, ...], why: str, broken: Made, tmp_path: Path
) -> None:
    data = b"\x7fELF and no more"
    if source is not None:
        (tmp_path / "x.c").write_text(f"int nobody(void);\n{source}\n", encoding="utf-8")
        empty = tmp_path / "empty.c"
        empty.touch()
        absent = compiled(broken.tools, tmp_path / "absent", "libabsent.so.3", str(empty), "-Wl,-soname,libabsent.so.3")
        given = [each.format(absent=absent) for each in options]
        data = compiled(broken.tools, tmp_path / "x", "x.so", str(tmp_path / "x.c"), *given).read_bytes()
    broken.publish({"manylinux_2_17": {}, "musllinux_1_2": {broken.module: data}})
    result = broken.task("freeze")
    assert result.returncode == 3
    assert "library can't be loaded by a static executable" in result.stderr
    assert f"{broken.site}/{broken.module}: {why}" in result.stderr
    assert 'without = ["library.fast"]' in result.stderr


@pytest.mark.parametrize("tags", [("manylinux_2_17",), ("manylinux_2_17", "musllinux_1_9")], ids=["none", "newer"])
def test_a_wheel_for_glibc_alone_is_refused_or_left_out_where_the_app_does_without(
    tags: tuple[str, ...], broken: Made, tmp_path: Path
) -> None:
    empty = tmp_path / "empty.c"
    empty.touch()
    libc = compiled(broken.tools, tmp_path / "libc", "libc.so.6", str(empty), "-Wl,-soname,libc.so.6")
    data = compiled(broken.tools, tmp_path / "x", "x.so", str(empty), "-Wl,--no-as-needed", str(libc)).read_bytes()
    name = broken.module.replace("musl", "gnu")
    broken.publish({tag: {name: data} for tag in tags})
    result = broken.task("freeze")
    assert result.returncode == 3
    assert "it is for the C library glibc, and there's no wheel of this version for musl" in result.stderr
    guarded = "try:\n    from library import fast\nexcept ImportError:\n    print('slow')\n"
    (broken.project / "main.py").write_text(guarded, encoding="utf-8")
    assert subprocess.run([program_of(broken)], capture_output=True, text=True, check=True).stdout == "slow\n"

"""The closure of shared libraries, on libraries made for it."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from cannery.elf.closure import MissingLibraryError, closure_of, needs_of, opened_by_name, searched
from cannery.elf.need import Need
from cannery.errors import RuntimeTreeError
from cannery.image.content import OnDisk
from cannery.image.rootfs import Root
from cannery.image.tree import File, Symlink, Tree
from tests.support.elf_files import compile_c

pytestmark = pytest.mark.once


def library(target: Path, *flags: str) -> Path:
    return compile_c("int f(void) { return 1; }", target, "-shared", "-fPIC", f"-Wl,-soname,{target.name}", *flags)


def linked_to(target: Path, other: Path, *flags: str) -> Path:
    """A library that needs ``other``."""
    return library(target, "-Wl,--no-as-needed", str(other), *flags)


def file(path: Path) -> File:
    return File(OnDisk(path, path.stat().st_size))


PYTHON = "/usr/bin/true"  # any dynamically linked program of this machine


def test_a_program_s_libraries_and_loader_are_found() -> None:
    found = closure_of(PYTHON, [], Root())
    assert found.loader is not None
    assert found.loader in found.libraries
    names = {Path(path).name for path in found.libraries}
    assert any(name.startswith("libc.") for name in names)


def test_all_libraries_lie_in_the_c_library_s_folder_but_the_loader(tmp_path: Path) -> None:
    elsewhere = library(tmp_path / "lib" / "libelsewhere.so.1")
    found = closure_of(PYTHON, [Need("libelsewhere.so.1", "x.so", (str(elsewhere.parent),))], Root())
    folders = {str(Path(path).parent) for path in found.libraries if path != found.loader}
    assert len(folders) == 1
    assert found.libraries[f"{folders.pop()}/libelsewhere.so.1"].path == elsewhere


@pytest.mark.parametrize("itself", [True, False])
def test_libraries_for_looking_up_hosts_go_in_where_the_c_library_needs_them(tmp_path: Path, itself: bool) -> None:
    loader = tmp_path / "lib" / "ld.so"
    library(loader)
    for name in ("libnss_dns.so.2", "libgcc_s.so.1"):
        library(tmp_path / "lib" / name)
    function = "int _nss_dns_gethostbyname_r" if itself else "int other"
    shared = ("-shared", "-fPIC", "-nostdlib", "-Wl,-soname,libc.so.6")
    libc = compile_c(f"{function}(void) {{ return 0; }}", tmp_path / "lib" / "libc.so.6", *shared)
    flags = ("-nostdlib", "-Wl,--no-as-needed", str(libc), "-Wl,--dynamic-linker=/lib/ld.so", "-Wl,-e,main")
    compile_c("int main(void) { return 0; }", tmp_path / "bin" / "program", *flags)
    found = {Path(path).name for path in closure_of("/bin/program", [], Root(tmp_path)).libraries}
    assert found - {"libnss_dns.so.2"} == {"ld.so", "libc.so.6", "libgcc_s.so.1"}
    assert ("libnss_dns.so.2" in found) is not itself


def test_libraries_of_libraries_are_followed_by_their_own_runpath(tmp_path: Path) -> None:
    deep = library(tmp_path / "deep" / "libdeep.so")
    top = linked_to(tmp_path / "libtop.so", deep, "-Wl,-rpath,$ORIGIN/deep")
    found = closure_of(PYTHON, [Need("libtop.so", "x.so", (str(top.parent),))], Root())
    assert any(path.endswith("/libdeep.so") for path in found.libraries)


def test_a_library_that_can_t_be_found_is_named_with_who_needs_it(tmp_path: Path) -> None:
    gone = library(tmp_path / "gone" / "libgone.so.7")
    user = linked_to(tmp_path / "user.so", gone)
    gone.unlink()
    needs = needs_of(Tree({"/site-packages/user.so": file(user)}))
    with pytest.raises(MissingLibraryError, match=r"libgone\.so\.7 can't be found") as raised:
        closure_of(PYTHON, needs, Root())
    assert "/site-packages/user.so needs it" in raised.value.evidence
    assert raised.value.need == Need("libgone.so.7", "/site-packages/user.so")
    found = closure_of(PYTHON, needs, Root(), allow_missing=("libgone.so.7",))
    assert not any(path.endswith("libgone.so.7") for path in found.libraries)


def test_what_a_tree_brings_itself_is_not_looked_for_elsewhere(tmp_path: Path) -> None:
    own = library(tmp_path / "pkg.libs" / "libown.so")
    user = linked_to(tmp_path / "user.so", own)
    tree = Tree(
        {"/p/user.so": file(user), "/p.libs/libown-1.so": file(own), "/p.libs/libown.so": Symlink("libown-1.so")}
    )
    assert "libown.so" not in {need.soname for need in needs_of(tree)}


def test_a_library_of_another_architecture_is_passed_over(tmp_path: Path) -> None:
    wrong = library(tmp_path / "wrong" / "libx.so")
    data = bytearray(wrong.read_bytes())
    data[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    wrong.write_bytes(data)
    right = library(tmp_path / "right" / "libx.so")
    found = closure_of(PYTHON, [Need("libx.so", "x.so", (str(wrong.parent), str(right.parent)))], Root())
    assert right in {content.path for content in found.libraries.values()}


def test_libraries_that_were_passed_over_are_told_with_the_one_that_is_missing(tmp_path: Path) -> None:
    wrong = library(tmp_path / "wrong" / "libx.so")
    data = bytearray(wrong.read_bytes())
    data[18:20] = (0xF3).to_bytes(2, "little")  # e_machine: RISC-V
    wrong.write_bytes(data)
    (tmp_path / "text").mkdir()
    (tmp_path / "text" / "libx.so").write_text("INPUT(libx.so.1)")
    with pytest.raises(MissingLibraryError) as raised:
        closure_of(PYTHON, [Need("libx.so", "x.so", (str(tmp_path / "wrong"), str(tmp_path / "text")))])
    assert f"{wrong} is for EM_RISCV" in raised.value.evidence
    assert f"{tmp_path}/text/libx.so is no shared library (ELF)" in raised.value.evidence


def test_a_file_that_is_no_program_is_no_missing_library(tmp_path: Path) -> None:
    (tmp_path / "script").write_text("#!/bin/sh\n")
    for name in ("/script", "/absent"):
        with pytest.raises(RuntimeTreeError, match=f"{name} is no program"):
            closure_of(name, [], Root(tmp_path))


def test_a_configuration_that_includes_itself_is_read_once(tmp_path: Path) -> None:
    shutil.copyfile(PYTHON, tmp_path / "program")
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc" / "ld.so.conf").write_text("include *.conf\n/one\ninclude /etc/ld.so.conf\n")
    (tmp_path / "etc" / "other.conf").write_text("include ld.so.conf other.conf\n/two\n")
    with pytest.raises(MissingLibraryError) as raised:
        closure_of("/program", [], Root(tmp_path))
    assert "looked in /two, /one, /lib," in raised.value.evidence


@pytest.mark.parametrize("configured", [True, False])
def test_musl_looks_where_its_own_file_says_and_answers_to_libc_itself(tmp_path: Path, configured: bool) -> None:
    libc = library(tmp_path / "built" / "libc.so", "-nostdlib")
    other = library(tmp_path / ("opt/lib" if configured else "usr/lib") / "libother.so", "-nostdlib")
    flags = ("-nostdlib", "-Wl,--no-as-needed", "-Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1", "-Wl,-e,main")
    compile_c("int main(void) { return 0; }", tmp_path / "bin" / "program", *flags, str(libc), str(other))
    if configured:
        (tmp_path / "etc").mkdir()
        (tmp_path / "etc" / "ld-musl-x86_64.path").write_text("/lib:/nowhere\n/opt/lib\n")
    found = closure_of("/bin/program", root=Root(tmp_path))
    assert found.libraries == {"/lib/libother.so": OnDisk(other, other.stat().st_size)}
    assert found.loader == "/lib/ld-musl-x86_64.so.1"  # which this root lacks


def test_links_are_followed_within_the_root_and_never_out_of_it(tmp_path: Path) -> None:
    inside = library(tmp_path / "usr" / "lib" / "libin.so.1.2")
    (tmp_path / "lib").symlink_to("/usr/lib")
    (inside.parent / "libin.so.1").symlink_to("libin.so.1.2")
    (inside.parent / "up").symlink_to("../../../../../../usr/lib/libin.so.1.2")
    (inside.parent / "loop").symlink_to("loop")
    root = Root(tmp_path)
    assert root.resolve("/lib/libin.so.1") == "/usr/lib/libin.so.1.2"
    assert root.resolve("/lib/up") == "/usr/lib/libin.so.1.2"
    assert root.resolve("/lib/loop") is None
    assert root.resolve("/lib/absent") is None


def test_folders_of_ld_so_conf_are_searched_with_what_it_includes(tmp_path: Path) -> None:
    """A root of its own: a program, its loader and its C library, and a library in a configured folder."""
    real = closure_of(PYTHON, [], Root())
    for path, content in [*real.libraries.items(), ("/bin/program", OnDisk(Path(PYTHON), 0))]:
        target = tmp_path / path.lstrip("/")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(content.path.read_bytes())
    library(tmp_path / "opt" / "x" / "lib" / "libconfigured.so")
    home = next(str(Path(path).parent) for path in real.libraries if Path(path).name.startswith("libc."))
    (tmp_path / "etc" / "ld.so.conf.d").mkdir(parents=True)
    (tmp_path / "etc" / "ld.so.conf").write_text("include ld.so.conf.d/*.conf  # more\n")
    (tmp_path / "etc" / "ld.so.conf.d" / "x.conf").write_text(f"{home}\n/opt/x/lib\n")
    found = closure_of("/bin/program", [Need("libconfigured.so", "x.so", ())], Root(tmp_path))
    assert {
        tmp_path / each for each in ("etc/ld.so.conf", "etc/ld.so.conf.d", "etc/ld.so.conf.d/x.conf", "opt/x/lib")
    } <= set(searched("/bin/program", Root(tmp_path)))
    assert tmp_path / "opt/x/lib/libconfigured.so" in {content.path for content in found.libraries.values()}
    assert all(content.path.is_relative_to(tmp_path) for content in found.libraries.values())


def test_libraries_that_a_program_opens_by_name_are_found_as_the_loader_and_find_library_do() -> None:
    found = set(opened_by_name(["libc.so.6", "c", "nothing-there", "libnothing.so.3"], PYTHON, Root()))
    assert found == {"libc.so.6"}

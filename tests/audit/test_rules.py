"""One bad image for each rule, and good ones that no rule complains of."""

from __future__ import annotations

import gzip
import io
import os
import py_compile
import subprocess
import zipfile
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pytest

from cannery.audit.finding import Severity
from cannery.audit.rules import RULES
from cannery.elf.package_notes import PackageNote, note_file
from tests.support.bad_images import START, audited, directory, docker_archive, file, layer, symlink
from tests.support.elf_files import LIBRARY, PROGRAM, compile_c
from tests.support.made_up_tokens import issued_token

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from tests.support.layers import Member

CODE = "PRICE = 'what it costs is a secret of the house'\ndef rebate(price):\n    return price * 0.9\n"
MODULE = "void *PyInit_pricing(void) { return 0; }\n"
PRIVATE_KEY = b"-----BEGIN PRIVATE KEY-----\n" + b"MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSj\n" * 3
TOKEN = b"ghp_" + b"a1B2" * 9
ISSUED = issued_token("npm" + "_").encode()


@dataclass(frozen=True)
class Bad:
    """An image that breaks one rule."""

    rule: str
    path: str = ""
    data: bytes | str = b"x"  # or the name of a compiled file
    mode: int = 0o644
    start: Mapping[str, Any] = field(default_factory=dict)
    config: Mapping[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return f"{self.rule} {self.path or self.start or self.config}"


def zipped(name: str) -> bytes:
    archive = io.BytesIO()
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr(name, CODE)
    return archive.getvalue()


def deep(data: bytes) -> bytes:
    """Compressed more often than anybody does."""
    for _ in range(9):
        data = gzip.compress(data)
    return data


BAD = [
    Bad("CAN101", "app/pricing.py", CODE.encode()),
    Bad("CAN101", "app/pricing.pyx", CODE.encode()),
    Bad("CAN102", "app/pricing.pyc", "bytecode"),
    Bad("CAN102", "app/pricing.pyc", b"of another Python"),
    Bad("CAN103", "app/pricing.c", b"/* rebate */"),
    Bad("CAN104", "app/x.egg-info/SOURCES.txt", b"setup.py\nx/pricing.py\n"),
    Bad("CAN104", "app/x.dist-info/RECORD", b"x/pricing.py,sha256=,60\n"),
    Bad("CAN105", "app/pricing.so", "with debugging information"),
    Bad("CAN106", "app/pricing.so", "with source in it"),
    Bad("CAN107", "app/old.zip", zipped("pricing.py")),
    Bad("CAN108", "usr/local/lib/python3.11/site-packages/x/__init__.py", b"a = 1\n" * 20),
    Bad("CAN109", "app/program", "with an archive behind it"),
    Bad("CAN109", "app/program", "made by the recipe static", mode=0o755),
    Bad("CAN110", "app/pricing.so", "module"),
    Bad("CAN111", "app/pricing.pyc", "bytecode"),
    Bad("CAN112", "app/renamed.so", "module"),
    Bad("CAN101", "app/pricing.py.orig", CODE.encode()),
    Bad("CAN101", "app/settings.py", b"LIMIT = 'short'\n"),
    Bad("CAN107", "app/pricing.py.gz", gzip.compress(CODE.encode())),
    Bad("CAN113", "app/main.pyc", "start"),
    Bad("CAN113", "app/main.py", b"import sys\nfrom x import main\nsys.exit(main())\n"),
    Bad("CAN114", "app/pricing.pyi", b"def rebate(price: float) -> float: ...\n"),
    Bad("CAN115", "app/static/app.js.map", b'{"version": 3, "sourcesContent": ["let a = 3"], "mappings": ""}'),
    Bad("CAN201", "app/pricing.pyc", b"\0\0\0\0/home/alice/work/pricing.py"),
    Bad("CAN202", "usr/lib/libx.so.1", "with debugging information"),
    Bad("CAN301", "app/.env", b"PASSWORD=x"),
    Bad("CAN301", "root/.ssh/id_rsa", b"x"),
    Bad("CAN302", "app/key.pem", PRIVATE_KEY),
    Bad("CAN302", "etc/pip.conf", b"index-url = https://me:secret@host/simple"),
    Bad("CAN302", "app/settings.toml", b"token = '" + TOKEN + b"'"),
    Bad("CAN302", "app/pricing.pyc", b"." * 20 + TOKEN + b"."),
    Bad("CAN303", start={"Env": ["DB_PASSWORD=hunter2"]}),
    Bad("CAN303", start={"Env": ["INDEX=https://me:secret@host/simple"]}),
    Bad("CAN304", config={"history": [{"created_by": "RUN |1 PIP_TOKEN=abc pip install x"}]}),
    Bad("CAN305", "usr/local/lib/python3.11/site-packages/x/tests/key.pem", PRIVATE_KEY),
    Bad("CAN306", start={"Cmd": ["--password", "hunter2"]}),
    Bad("CAN307", "usr/local/lib/python3.11/site-packages/x/client.json", ISSUED),
    Bad("CAN308", "app/large.gz", deep(CODE.encode())),
    Bad("CAN401", "usr/bin/sudo", mode=0o4755),
    Bad("CAN402", "srv/uploads/", mode=0o777),
    Bad("CAN403", "etc/hosts.allow", mode=0o666),
    Bad("CAN404", "app/pricing.pyc", "owned"),
    Bad("CAN405", "usr/bin/ping", "with capabilities", mode=0o755),
    Bad("CAN501", "bin/busybox", mode=0o755),
    Bad("CAN501", "bin/bash", mode=0o755),
    Bad("CAN502", "usr/local/bin/pip3.11", mode=0o755),
    Bad("CAN502", "usr/bin/dpkg", mode=0o755),
    Bad("CAN503", "usr/bin/x86_64-linux-gnu-gcc-12", mode=0o755),
    Bad("CAN601", start={"User": ""}),
    Bad("CAN601", start={"User": "0:0"}),
    Bad("CAN601", start={"User": "00"}),
    Bad("CAN601", start={"User": "+0"}),
    Bad("CAN601", "etc/passwd", b"root:x:0:0::/root:/bin/sh\ntoor:x:0:0::/:/bin/sh\n", start={"User": "toor"}),
    Bad("CAN602", start={"User": "app"}),
    Bad("CAN603", start={"Entrypoint": None}),
    Bad("CAN604", start={"Entrypoint": ["/bin/sh", "-c", "python -m x"]}),
    Bad("CAN605", start={"Env": ["PYTHONPATH=/app:"]}),
    Bad("CAN605", start={"Env": ["LD_LIBRARY_PATH=/tmp/lib"]}),
    Bad("CAN606", "app/program", "made by PyInstaller", mode=0o755),
    Bad("CAN701", "usr/lib/libx.so.1", "library"),
    Bad("CAN702", "usr/lib/libx.so.1", "with a search path"),
    Bad("CAN703", "usr/lib/libx.so.1", "foreign"),
    Bad("CAN704", "usr/bin/program", "program"),
    Bad("CAN705", "usr/lib/libx.so.1", "library"),
    Bad("CAN801", "usr/lib/libcrypto.so.1.1", "with an old OpenSSL"),
    Bad("CAN802", "usr/lib/libcrypto.so.1.1", "with an old OpenSSL"),
    Bad("CAN803", "usr/lib/libcrypto.so.1.1", "with an old OpenSSL"),
]


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory) -> Mapping[str, bytes]:
    """What compilers make, by name."""
    folder = tmp_path_factory.mktemp("made")
    strip = ["-shared", "-s"]
    library = compile_c(PROGRAM, folder / "library.so", "-fPIC", *strip).read_bytes()
    program = compile_c(PROGRAM, folder / "program", "-s").read_bytes()
    embedded = '"\\0import os\\nfrom x import y\\n\\ndef rebate(price):\\n    return 1\\n\\nclass Rate:\\n    pass\\n"'
    quoting = MODULE + f"const char *text = {embedded};\n"
    return {
        "bytecode": _bytecode(folder, CODE),
        "owned": _bytecode(folder, CODE),
        "start": _bytecode(
            folder, "import sys\nfrom x import main\nif __name__ == '__main__':\n    sys.exit(main())\n"
        ),
        "library": library,
        "foreign": library[:18] + b"\xb7\0" + library[20:],  # EM_AARCH64
        "program": program,
        "module": compile_c(MODULE, folder / "module.so", *strip).read_bytes(),
        "with debugging information": _with_debug(folder),
        "with source in it": compile_c(quoting, folder / "quoting.so", *strip).read_bytes(),
        "with a search path": compile_c(LIBRARY, folder / "path.so", *strip, "-Wl,-rpath,/gone/lib").read_bytes(),
        "with an archive behind it": program + b"bytecode" * 1000,
        "made by PyInstaller": program + b"MEI\014\013\012\013\016" + bytes(80),
        "made by the recipe static": program + b"_CANNERY_PROGRAM\0",
        "with capabilities": b"x",
        "with an old OpenSSL": program + b"OpenSSL 1.1.1w  11 Sep 2023\0",
    }


def _bytecode(folder: Path, source: str) -> bytes:
    path = folder / "code.py"
    path.write_text(source)
    compiled = folder / "code.pyc"
    py_compile.compile(str(path), str(compiled), dfile="/app/code.py", doraise=True)
    return compiled.read_bytes()


def _with_debug(folder: Path) -> bytes:
    """A library built as nobody should: in a folder below /tmp, and with all of its debugging information."""
    command = ["gcc", "-g", "-gdwarf-4", "-shared", "-xc", "-", "-o", str(folder / "debug.so")]
    source = f'# 1 "/home/alice/work/pricing.c"\n{MODULE}const char *here(void) {{ return __FILE__; }}\n'
    subprocess.run(command, input=source, text=True, check=True)
    return (folder / "debug.so").read_bytes()


def members(bad: Bad, made: Mapping[str, bytes]) -> list[Member]:
    if not bad.path:
        return []
    if bad.path.endswith("/"):
        return [directory(bad.path.rstrip("/"), mode=bad.mode)]
    data = made[bad.data] if isinstance(bad.data, str) else bad.data
    info, _ = member = file(bad.path, data, mode=bad.mode)
    if bad.data == "owned":
        info.uid = 65535
    if bad.data == "with capabilities":
        info.pax_headers = {"SCHILY.xattr.security.capability": "\1\0\0\2"}
    beside = [file("app/pricing.so", made["module"])] if bad.rule == "CAN111" else []
    return [member, *beside]


@pytest.mark.parametrize("bad", BAD, ids=str)
def test_a_bad_image_is_found_out(bad: Bad, made: Mapping[str, bytes]) -> None:
    found = audited(layer(*members(bad, made)), start={**START, **bad.start}, **bad.config)
    assert bad.rule in found
    assert {finding.path for finding in found[bad.rule]} <= {_folder(bad), f"/{bad.path}".rstrip("/"), ""}


def _folder(bad: Bad) -> str:
    return f"/{os.path.dirname(bad.path)}"  # noqa: PTH120  # a path of the image


def test_every_rule_has_a_bad_image() -> None:
    assert {bad.rule for bad in BAD} == RULES.keys()


def test_a_good_image_has_nothing_to_find(made: Mapping[str, bytes]) -> None:
    good = layer(
        directory("tmp", mode=0o1777),
        file("app/pricing.cpython-311-x86_64-linux-gnu.so", made["module"]),
        file("app/templates/page.html", b"<p>/home/alice writes a page</p>"),
        file("lib64/ld-linux-x86-64.so.2", b"x", mode=0o755),
        file("usr/lib/libc.so.6", b"x"),
        file("usr/local/bin/python3", made["program"], mode=0o755),
        file("usr/local/lib/python3.11/site-packages/x/__init__.pyc", made["bytecode"]),
        file("usr/share/sbom/python-3.11.9.note", note_file(PackageNote("generic", "python", "3.11.9"))),
        symlink("bin", "usr/local/bin"),
    )
    start = {**START, "Env": ["PATH=/usr/local/bin", "PYTHONPATH=/app", "PASSWORD_FILE=/run/secrets/x", "TOKEN="]}
    assert [each for each in audited(good, start=start) if RULES[each].severity > Severity.INFO] == []


def test_a_secret_that_a_later_layer_deletes_is_still_there() -> None:
    found = audited(layer(file("app/key.pem", PRIVATE_KEY)), layer(file("app/.wh.key.pem")))
    (finding,) = found["CAN302"]
    assert (finding.path, finding.layer, finding.hidden) == ("/app/key.pem", 0, True)


def test_source_below_a_folder_that_is_emptied_is_still_there() -> None:
    found = audited(layer(file("app/x/pricing.py", CODE.encode())), layer(file("app/x/.wh..wh..opq")))
    assert [finding.hidden for finding in found["CAN101"]] == [True]


def test_what_a_later_layer_puts_right_is_right() -> None:
    found = audited(layer(file("usr/bin/su", b"x", mode=0o4755)), layer(file("usr/bin/su", b"x", mode=0o755)))
    assert "CAN401" not in found


def test_a_file_in_the_place_of_a_folder_hides_what_was_in_it() -> None:
    found = audited(layer(file("app/x/pricing.py", CODE.encode())), layer(file("app/x", b"")))
    assert [finding.hidden for finding in found["CAN101"]] == [True]


def test_secrets_are_never_shown() -> None:
    found = audited(
        layer(file("app/settings.toml", TOKEN)),
        start={**START, "Env": [f"API_TOKEN={TOKEN.decode()}", "PASSWORD=hunter2"]},
    )
    shown = repr(found)
    assert TOKEN.decode() not in shown
    assert "hunter2" not in shown


def test_a_hard_link_is_the_file_that_it_names(made: Mapping[str, bytes]) -> None:
    from tests.support.bad_images import hard_link  # noqa: PLC0415

    found = audited(layer(file("srv/x.pyc", made["bytecode"]), hard_link("app/x.pyc", "srv/x.pyc")))
    assert [finding.path for finding in found["CAN102"]] == ["/app/x.pyc"]


def test_the_app_s_own_distribution_is_its_own_where_it_is_installed() -> None:
    from cannery.audit.archives import read_archive  # noqa: PLC0415
    from cannery.audit.choice import choose  # noqa: PLC0415
    from cannery.audit.rules import check  # noqa: PLC0415

    packages = "usr/lib/python3/dist-packages"
    image = docker_archive(
        [layer(file(f"{packages}/my_shop/pricing.py", CODE.encode()), file(f"{packages}/other/x.py", CODE.encode()))]
    )
    contents = choose(read_archive(io.BytesIO(image), "x"), distribution="My-Shop")
    found = {finding.path: finding.rule.id for finding in check(contents)}
    assert found == {f"/{packages}/my_shop/pricing.py": "CAN101", f"/{packages}/other": "CAN108"}

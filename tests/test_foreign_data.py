"""Readers of what others wrote: whatever it is, they read it, or raise the error of their room, and nothing else.

Each is given documents that have one thing wrong and bytes that are damaged. More examples are tried with the variable
``FOREIGN_EXAMPLES``.
"""

from __future__ import annotations

import gzip
import hashlib
import io
import json
import lzma
import marshal
import sys
import tempfile
import zipfile
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cannery.audit.audit import audit
from cannery.audit.pyc import read_pyc, strings_of
from cannery.containers.engine.endpoints import docker_endpoints
from cannery.elf.dynamic import read_elf
from cannery.elf.headers import ElfError
from cannery.elf.strip import strip_elf
from cannery.errors import CanneryError
from cannery.executable.kit.kit import given_kit
from cannery.executable.kit.toolchain import native_target
from cannery.image.content import Inline
from cannery.image.decompression import unzipped
from cannery.image.extraction import unpack
from cannery.image.media.archive import Archive
from cannery.image.media.layout import Layout
from cannery.image.media.pull import pull
from cannery.image.platform import Platform
from cannery.image.registry.credentials import credential_for
from cannery.image.registry.reference import Reference
from cannery.image.tree import File, LazyTree, Tree
from cannery.imports.entry_points import entry_points
from cannery.imports.path_files import folders_added
from cannery.imports.places import Place
from cannery.project.app import RequirementsFile
from cannery.project.config import load
from cannery.project.dockerfile import read_dockerfile
from cannery.project.extras import check_names
from cannery.project.other_tools import groups_of, lines_of, python_of_pipenv
from cannery.project.procfile import read_procfile
from cannery.project.pylock import parse
from cannery.project.requirement_names import brings_project, names_in
from cannery.project.requirements_file import read_lines
from cannery.project.settings import Settings
from cannery.project.shell import NeedsShell, simple_commands
from cannery.project.uv_errors import explain
from cannery.python.marshal import UnknownFormatError, tokens_of
from cannery.python.wheel import read_wheel
from cannery.secrets.search import SecretSearch
from cannery.trees.top_levels import top_levels
from cannery.workspace.cache import Cache
from cannery.workspace.process import ProgramFailed
from cannery.workspace.workspace import Workspace, silent
from tests.support.bad_images import directory, docker_archive, file, layer, symlink, tar_of
from tests.support.foreign import QUICK, damaged, edited, odd_lines
from tests.support.layers import packed
from tests.support.planted_systems import cpio, deb, rpm

if TYPE_CHECKING:
    from collections.abc import Iterator

    from cannery.project.app import RequirementsKind

pytestmark = [pytest.mark.once, pytest.mark.filterwarnings("ignore:Generating overly large repr")]

LAYER = layer(directory("etc"), file("etc/passwd", b"root:x:0:0::/:\n"), symlink("bin", "usr/bin"), file("usr/bin/x"))
CONFIG = {
    "os": "linux",
    "architecture": "amd64",
    "config": {
        "User": "65535",
        "Env": ["PATH=/usr/bin", "X=1"],
        "Cmd": ["a"],
        "Entrypoint": ["/usr/bin/x"],
        "Labels": {"a": "b"},
        "ExposedPorts": {"80/tcp": {}},
        "Volumes": {"/data": {}},
        "Healthcheck": {"Test": ["CMD", "x"]},
        "WorkingDir": "/app",
        "StopSignal": "SIGTERM",
        "OnBuild": ["RUN x"],
    },
    "history": [{"created_by": "RUN x", "empty_layer": True, "comment": "c"}],
    "rootfs": {"type": "layers", "diff_ids": []},
}


@contextmanager
def folder() -> Iterator[Path]:
    """An empty folder, for one example."""
    with tempfile.TemporaryDirectory() as name:
        yield Path(name)


@contextmanager
def refusable() -> Iterator[None]:
    """Errors that tell a user, or the caller, what is wrong are as good as an answer."""
    with suppress(CanneryError, ElfError, UnknownFormatError, NeedsShell):
        yield


def write(path: Path, value: object) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    match value:
        case bytes():
            path.write_bytes(value)
        case str():
            path.write_text(value, encoding="utf-8", errors="surrogatepass")
        case _:
            path.write_text(json.dumps(value))
    return path


def descriptor(data: bytes, media_type: str) -> dict[str, object]:
    return {"mediaType": media_type, "digest": f"sha256:{hashlib.sha256(data).hexdigest()}", "size": len(data)}


KINDS = "application/vnd.oci.image"


@st.composite
def layouts(draw: st.DrawFn) -> dict[str, bytes]:
    """The files of OCI layouts in which one document is odd and the digests are right."""
    odd = draw(st.sampled_from(["config", "manifest", "index", "layer"]))

    def made(name: str, document: Any) -> bytes:
        return json.dumps(draw(edited(document)) if name == odd else document).encode()

    blob = draw(damaged(LAYER)) if odd == "layer" else LAYER
    diff_id = hashlib.sha256(gzip.decompress(LAYER)).hexdigest()
    config = made("config", {**CONFIG, "rootfs": {"type": "layers", "diff_ids": [f"sha256:{diff_id}"]}})
    manifest = made(
        "manifest",
        {
            "schemaVersion": 2,
            "mediaType": f"{KINDS}.manifest.v1+json",
            "config": descriptor(config, f"{KINDS}.config.v1+json"),
            "layers": [descriptor(blob, f"{KINDS}.layer.v1.tar+gzip")],
            "annotations": {"a": "b"},
        },
    )
    entry = {
        **descriptor(manifest, f"{KINDS}.manifest.v1+json"),
        "platform": {"os": "linux", "architecture": "amd64"},
        "annotations": {"org.opencontainers.image.ref.name": "odd"},
    }
    index = made("index", {"schemaVersion": 2, "mediaType": f"{KINDS}.index.v1+json", "manifests": [entry]})
    blobs = {f"blobs/sha256/{hashlib.sha256(data).hexdigest()}": data for data in (blob, config, manifest)}
    return {"oci-layout": b'{"imageLayoutVersion": "1.0.0"}', "index.json": index, **blobs}


@QUICK
@given(layouts())
def test_layouts(files: dict[str, bytes]) -> None:
    with folder() as home:
        for name, data in files.items():
            write(home / "layout" / name, data)
        cache = Cache(home / "cache")
        with refusable():
            base = pull(Layout(home / "layout"), Platform.parse("linux/amd64"), cache)
            (home / "root").mkdir()
            unpack(base.layers, home / "root")


@QUICK
@given(layouts().map(tar_of) | damaged(docker_archive([LAYER])))
def test_archives(data: bytes) -> None:
    with folder() as home:
        path = write(home / "image.tar", data)
        with refusable():
            pull(Archive(path), Platform.parse("linux/amd64"), Cache(home / "cache"))
        with refusable():
            audit(str(path), Settings(), readable=True, progress=silent)


@QUICK
@given(damaged(gzip.decompress(LAYER)))
def test_layers(data: bytes) -> None:
    with folder() as home, refusable():
        (home / "root").mkdir()
        unpack([packed(home, data)], home / "root")


CONTEXT = {"Name": "odd", "Endpoints": {"docker": {"Host": "unix:///nowhere", "SkipTLSVerify": False}}}
CLIENT = {
    "auths": {"registry.example": {"auth": "dTpw"}, "other": {"identitytoken": "x"}},
    "credHelpers": {"helped.example": "missing"},
    "credsStore": "missing-too",
    "currentContext": "odd",
}


@pytest.mark.slow
@QUICK
@given(edited(CONTEXT), edited(CLIENT))
def test_docker_s_contexts_and_configurations(context: Any, client: Any) -> None:
    with folder() as home:
        write(home / "config.json", client)
        meta = home / "contexts" / "meta" / hashlib.sha256(b"odd").hexdigest() / "meta.json"
        write(meta, context)
        variables = {"DOCKER_CONFIG": str(home), "HOME": str(home)}
        with refusable():
            list(docker_endpoints(variables, home))
        for name in ("registry.example/app", "helped.example/app", "other/app"):
            with refusable():
                credential_for(Reference.parse(name), variables)


KIT = json.dumps({"format": 1, "platform": native_target().platform, "builtins": [["zlib", "PyInit_zlib"]]}).encode()


@QUICK
@given(damaged(tar_of({"kit.json": KIT, "lib/python3.11/os.py": b"", "bin/python3.11": b"#!/bin/false\n"})))
def test_kits(data: bytes) -> None:
    with folder() as home, refusable():
        given_kit(write(home / "python.kit", data), native_target().platform, Workspace(Cache(home / "cache")))


PIPFILE = {
    "_meta": {
        "hash": {"sha256": "x"},
        "requires": {"python_version": "3.11"},
        "sources": [{"url": "https://x/simple"}],
    },
    "default": {
        "six": {"version": "==1.0", "hashes": ["sha256:0"], "markers": "python_version > '3'", "extras": ["a"]}
    },
    "develop": {"tool": {"git": "https://x/y", "ref": "main"}, "own": {"path": ".", "editable": True}},
}
PIPFILE_TOML = '[[source]]\nurl = "https://x"\n[packages]\nsix = "*"\nown = {path = ".", extras = ["a"]}\n[requires]\n'
PDM = """
[metadata]
groups = ["default", "dev"]
[[package]]
name = "six"
version = "1.0"
groups = ["default"]
files = [{file = "six.whl", hash = "sha256:0"}]
"""
CONDA = "name: x\nchannels:\n  - defaults\ndependencies:\n  - python=3.11\n  - numpy\n  - pip:\n    - six==1.0\n"
REQUIREMENTS = "-i https://x/simple\nsix==1.0 --hash=sha256:00 ; python_version > '3'\n-e ./lib\n-r o.txt\nx @ file:y\n"


@QUICK
@given(edited(PIPFILE))
def test_pipfile_locks(document: Any) -> None:
    with folder() as home:
        path = write(home / "Pipfile.lock", document)
        for read in (
            lambda: lines_of(path, "pipenv", ["dev"]),
            lambda: groups_of(path, "pipenv"),
            lambda: python_of_pipenv(path),
        ):
            with refusable():
                read()


@QUICK
@given(
    st.sampled_from(
        [("Pipfile", "pipenv", PIPFILE_TOML), ("pdm.lock", "pdm", PDM), ("environment.yml", "conda", CONDA)]
    ),
    st.data(),
)
def test_files_of_other_tools(known: tuple[str, Any, str], data: st.DataObject) -> None:
    name, kind, sample = known
    text = data.draw(odd_lines(sample) | damaged(sample.encode()).map(lambda made: made.decode(errors="replace")))
    with folder() as home:
        path = write(home / name, text)
        with refusable():
            lines_of(path, kind, ["dev"])
        with refusable():
            groups_of(path, kind)
        with refusable():
            names_in(RequirementsFile(path, kind), ["six"])
        with refusable():
            brings_project(RequirementsFile(path, kind), home)


@QUICK
@given(odd_lines(REQUIREMENTS, "[tool.uv]\n[[package]]\nname = 'x'\n", "--option value -c -e") | st.text())
def test_requirements_files(text: str) -> None:
    with folder() as home:
        path = write(home / "requirements.txt", text)
        with refusable():
            read_lines(path, home)


LONG = ("[" * 200_000, "x" * 1_000_000, " " * 200_000, "\n" * 200_000, "a: b" + " " * 200_000 + "c", '"' * 200_000)


@pytest.mark.parametrize("text", [text for piece in LONG for text in (piece, f"a = {piece}", f"{piece}]==1")])
def test_long_texts_take_no_longer_than_they_are(text: str) -> None:
    with folder() as home:
        path = write(home / "requirements.txt", text)
        with refusable():
            _ = [(line.path, line.extras, line.name) for line in read_lines(path, home).lines]
        write(home / "Procfile", text)
        write(home / "Dockerfile", f"FROM x\nCMD {text}\n")
        with refusable():
            read_dockerfile(home)
        for command in read_procfile(home).values():
            with refusable():
                simple_commands(command)
        with refusable():
            lines_of(write(home / "environment.yml", text), "conda", ())
    failed = ProgramFailed(["uv"], 2, "", f"error: {text}")
    assert str(explain(failed, "it failed", "mend it"))


@QUICK
@given(odd_lines('lock-version = "1.0"\n[[packages]]\nname = "six"\nversion = "1.0"\nwheels = [{url = "x"}]\n'))
def test_locks(text: str) -> None:
    with folder() as home:
        with refusable():
            parse(text, "pylock.toml")
        for name, kind in LOCKS:
            write(home / "pyproject.toml", text)
            with refusable():
                check_names(RequirementsFile(write(home / name, text), kind), home, ["a"], ["b"])


LOCKS: tuple[tuple[str, RequirementsKind], ...] = (
    ("uv.lock", "uv"),
    ("poetry.lock", "poetry"),
    ("pylock.toml", "pylock"),
)


DOCKERFILE = 'FROM x AS a\nENV A=1 B="2"\nWORKDIR /app\nEXPOSE 80 $PORT\nCMD ["x", "main:app"]\nENTRYPOINT x && y\n'


@QUICK
@given(odd_lines(DOCKERFILE, "ENV A b\\\nCMD exec x ${PORT:-80} `x` $(y) 'z' \"\\"), odd_lines("web: x main:app\n"))
def test_dockerfiles_and_procfiles(dockerfile: str, procfile: str) -> None:
    with folder() as home:
        write(home / "Dockerfile", dockerfile)
        write(home / "Procfile", procfile)
        with refusable():
            read_dockerfile(home)
        for command in read_procfile(home).values():
            with refusable():
                simple_commands(command)


PYPROJECT = """
[build-system]
requires = ["hatchling"]
[project]
name = "x"
version = "1"
dependencies = ["six"]
scripts = {x = "main:f"}
[tool.cannery]
entry = "main.py"
env = {A = "1"}
ports = ["80"]
[tool.poetry.dependencies]
six = "*"
[tool.uv.sources]
six = {path = "x"}
[tool.setuptools.packages.find]
where = ["src"]
[dependency-groups]
dev = ["six", {include-group = "x"}]
"""


@QUICK
@given(
    odd_lines(PYPROJECT) | damaged(PYPROJECT.encode()).map(lambda made: made.decode(errors="replace")),
    odd_lines("# /// script\n# dependencies = ['six']\n# ///\nimport six\napp = Flask(__name__)\nif x: pass\n"),
)
def test_projects(pyproject: str, main: str) -> None:
    with folder() as home:
        write(home / "pyproject.toml", pyproject)
        write(home / "main.py", main)
        write(home / "setup.cfg", main)
        with refusable():
            load(home)


WHEEL = {
    "six.py": b"",
    "six-1.0.dist-info/METADATA": b"Metadata-Version: 2.1\nName: six\nVersion: 1.0\n",
    "six-1.0.dist-info/RECORD": b"six.py,sha256=x,0\n",
    "six-1.0.dist-info/WHEEL": b"Wheel-Version: 1.0\n",
}


def zip_of(files: dict[str, bytes]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in files.items():
            archive.writestr(name, data)
    return made.getvalue()


@QUICK
@given(damaged(zip_of(WHEEL)))
def test_wheels(data: bytes) -> None:
    with folder() as home, refusable():
        read_wheel(write(home / "six-1.0-py3-none-any.whl", data))


@QUICK
@given(odd_lines('six.py,sha256=x,0\n"a,""b",,\n', "[console_scripts]\nx = a:b [c]\n", "import x; y\n../z\n/abs\n"))
def test_what_wheels_say_of_themselves(text: str) -> None:
    site = "/usr/lib/python3/site-packages"
    data = text.encode(errors="surrogatepass")
    with folder() as home, refusable():
        top_levels(write(home / "RECORD", data))
    tree = Tree(
        {
            f"{site}/x.pth": File(Inline(data)),
            f"{site}/x-1.dist-info/entry_points.txt": File(Inline(data)),
            f"{site}/z/x.py": File(Inline(b"")),
        }
    )
    folders_added(tree, [site])
    entry_points([Place("dependencies", LazyTree("x", lambda: tree), (site,))])


CONFIG_TOML = ("etc/conf.toml", b"password = 'x'\n")


@QUICK
@given(damaged(deb(*CONFIG_TOML)) | damaged(rpm(*CONFIG_TOML)) | damaged(cpio(CONFIG_TOML)))
def test_packages_of_systems(data: bytes) -> None:
    SecretSearch("package").through(data, io.BytesIO())


@QUICK
@given(damaged(lzma.compress(b"x" * 1000) + bytes(4) + lzma.compress(b"y")))
def test_streams_by_xz(data: bytes) -> None:
    with suppress(EOFError, lzma.LZMAError):
        unzipped(io.BytesIO(data), "xz").read()


@QUICK
@given(odd_lines("name,password\nx,hunter2\n", '"a";"token"\t\n'))
def test_tables(text: str) -> None:
    SecretSearch("table.csv").through(text.encode(errors="surrogatepass"), io.BytesIO())


PROGRAM = Path(sys.executable).resolve().read_bytes()[: 1 << 16]


@QUICK
@given(damaged(PROGRAM[:4096]).map(lambda head: head + PROGRAM[4096:]))
def test_elf_files(data: bytes) -> None:
    with refusable():
        read_elf(Inline(data))
    with refusable():
        strip_elf(Inline(data))


CODE = compile("def f(a, *, b=1):\n    return {a: [b, 'text', 1.5, (None, ...)]}\n", "x.py", "exec")


@QUICK
@given(damaged(marshal.dumps(CODE)))
def test_bytecode(data: bytes) -> None:
    with refusable():
        list(tokens_of(data))
    code = read_pyc(bytes(16) + data)
    if code is not None:
        list(strings_of(code))

"""Vulnerabilities in modules that tiny leaves out are told from those in modules that it keeps."""

from __future__ import annotations

import io
import json
import posixpath
import subprocess
import sys
import tarfile
import zipfile
from typing import TYPE_CHECKING, Any, NamedTuple

import pytest

from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.built_image import build
from tests.support.command import assert_refused, cannery
from tests.support.repository import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

API = ROOT / "examples" / "random_api"
EACH = 20


def paths_in(archive: Path) -> Iterator[str]:
    """The files of all layers and of archives in them, read without cannery."""
    with tarfile.open(archive) as image:
        stream = image.extractfile("manifest.json")
        assert stream is not None
        for name in json.load(stream)[0]["Layers"]:
            blob = image.extractfile(name)
            assert blob is not None
            with tarfile.open(fileobj=io.BytesIO(blob.read())) as layer:
                for member in filter(tarfile.TarInfo.isfile, layer):
                    yield member.name
                    if member.name.endswith(".zip"):
                        content = layer.extractfile(member)
                        assert content is not None
                        yield from zipfile.ZipFile(io.BytesIO(content.read())).namelist()


def modules_of(wheels: Path, package: str) -> dict[str, str]:
    """The modules of an installed package, each with the path that it has without its ending."""
    found = (path.relative_to(wheels).as_posix() for path in (wheels / package).rglob("*.py"))
    stems = (path.removesuffix(".py") for path in found)
    return {stem.removesuffix("/__init__").replace("/", "."): stem for stem in stems}


def spread(names: Iterable[str]) -> list[str]:
    """As many of ``names`` as are tried, from the first to the last."""
    listed = sorted(names)
    return [listed[number * len(listed) // EACH] for number in range(EACH)]


def record(number: int, module: str) -> dict[str, Any]:
    package = {"ecosystem": "PyPI", "name": module.partition(".")[0]}
    affected = {"package": package, "ecosystem_specific": {"imports": [{"attribute": "f", "modules": [module]}]}}
    return {"id": f"CVE-2026-{number:04}", "modified": "2026-11-01T00:00:00Z", "affected": [affected]}


def test_forty_are_told_apart(tmp_path: Path, shared_cache: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANNERY_CACHE", str(shared_cache))
    archive = tmp_path / "api.tar"
    build(API, archive, "--recipe=tiny")
    wheels = tmp_path / "wheels"
    command = [sys.executable, "-m", "uv", "pip", "install", "--quiet", "--target", str(wheels)]
    subprocess.run([*command, "--requirements", str(API / "requirements.txt")], check=True)
    modules = {**modules_of(wheels, "falcon"), **modules_of(wheels, "gunicorn")}
    there = {posixpath.splitext(path)[0].partition("site-packages/")[2] or posixpath.splitext(path)[0]
             for path in paths_in(archive)}  # fmt: skip
    there |= {path.partition(".")[0] for path in there}  # extension modules have a tag
    left_out = spread(name for name, stem in modules.items() if stem not in there)
    kept = spread(name for name, stem in modules.items() if stem in there)
    listed = tmp_path / "known.json"
    listed.write_text(json.dumps([record(number, module) for number, module in enumerate([*left_out, *kept])]))

    written = tmp_path / "api.openvex.json"
    done = cannery(
        "vex", "--json", "--image", str(archive), "--list", str(listed), "--output", str(written), cwd=API
    )  # fmt: skip
    assert done.code == 0, done.stderr
    found = [each["status"] for each in done.report["assessments"]]
    assert found == ["not_affected"] * EACH + ["under_investigation"] * EACH
    assert len(json.loads(written.read_bytes())["statements"]) == 2 * EACH


def test_a_project_without_a_list_and_without_a_lock_is_told(make_project: MakeProject, tmp_path: Path) -> None:
    project = make_project({"main.py": "print('hello')\n"})
    assert "--list FILE" in assert_refused(cannery("vex", cwd=project), 2)
    assert "none.json" in assert_refused(cannery("vex", "--list", str(tmp_path / "none.json"), cwd=project), 6)


class Pushed(NamedTuple):
    """A project whose image lies in a registry, and a list of what is known to be vulnerable."""

    project: Path
    listed: Path
    registry: AwkwardRegistry
    name: str


@pytest.fixture
def pushed(make_project: MakeProject, tmp_path: Path) -> Iterator[Pushed]:
    project = make_project({"main.py": "print('hello')\n"})
    listed = tmp_path / "known.json"
    listed.write_text(json.dumps(record(1, "falcon.asgi")))
    with serving(AwkwardRegistry()) as registry:
        name = f"{registry.address}/team/shop:1"
        assert cannery("push", "--", name, cwd=project).code == 0
        yield Pushed(project, listed, registry, name)


def test_the_document_is_attached_to_the_image_in_its_registry(pushed: Pushed) -> None:
    project, listed, registry, name = pushed
    words = ("vex", "--list", str(listed), "--attach")
    done = cannery(*words, "--image", name, cwd=project)
    assert done.code == 0, done.stderr
    assert "falcon is not in the image" in done.stdout
    manifests = [json.loads(data) for data in registry.manifests["team/shop"].values()]
    (attached,) = [each for each in manifests if each.get("artifactType") == "application/vnd.openvex+json"]
    assert attached["subject"]["mediaType"] == "application/vnd.oci.image.manifest.v1+json"
    assert "--image REGISTRY/NAME:TAG" in assert_refused(cannery(*words, cwd=project), 2)


def test_an_audit_reads_an_image_in_its_registry(pushed: Pushed, tmp_path: Path) -> None:
    _, listed, registry, name = pushed
    elsewhere = tmp_path / "elsewhere"  # there is no project
    elsewhere.mkdir()
    words = ("audit", "--fail-on=never", "--engine=none", f"--known={listed}")
    found = cannery(*words, "--image", name, "--json", cwd=elsewhere).report
    assert found["image"] == name
    assert {each["id"] for each in found["findings"]} >= {"CAN102"}  # bytecode
    assert {each["name"] for each in found["components"]} >= {"Python", "glibc"}
    assert {item["kind"] for item in found["inventory"]["items"]} >= {"interpreter"}
    assert [each["status"] for each in found["vulnerabilities"]] == ["not_affected"]
    done = cannery(*words, "--image", f"docker://{name}", cwd=elsewhere)
    assert done.code == 0, done.stderr
    assert "it holds Python " in done.stdout
    missing = f"{registry.address}/team/shop:2"
    assert missing in assert_refused(cannery("audit", "--engine=none", "--image", missing, cwd=elsewhere), 10)

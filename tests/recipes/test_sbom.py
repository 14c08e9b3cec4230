"""Each image has its bill of materials in a layer of its own, the same bytes every time."""

from __future__ import annotations

import hashlib
import json
import tarfile
from typing import TYPE_CHECKING

import pytest

from cannery.bom.assembled import SBOM_PATH
from cannery.bom.cyclonedx import cyclonedx
from cannery.project.config import load
from cannery.recipes.build import build
from cannery.recipes.inventory import inventory_of
from cannery.recipes.provenance import provenance_of
from cannery.workspace.cache import Cache
from cannery.workspace.process import run
from cannery.workspace.workspace import Workspace
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.recipes.plan import Built
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

BOM = {"bomFormat": "CycloneDX", "components": [{"name": "openfish", "version": "3", "purl": "pkg:cargo/openfish@3"}]}
SBOMS = "tin-1.0.dist-info/sboms/tin.cdx.json"
FILES = {"tin_unused.py": b"", "tin_native.so": b"\x7fELF", SBOMS: json.dumps(BOM).encode()}


@pytest.fixture
def shared(shared_cache: Path) -> Workspace:
    """A workspace whose cache has the runtime that other tests have packed, too."""
    return Workspace(Cache(shared_cache), run)


@pytest.fixture
def project(make_project: MakeProject, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project that requires a wheel with a bill of materials of its own (PEP 770)."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    make_wheel(wheels, "tin", files=FILES)
    for name, value in only_from(wheels).items():
        monkeypatch.setenv(name, value)
    return make_project({"main.py": "import tin\nprint(tin.answer)\n", "requirements.txt": "tin==1.0\n"})


def contents(built: Built) -> dict[str, bytes]:
    found: dict[str, bytes] = {}
    for layer in built.image.layers:
        with tarfile.open(layer.blob) as archive:
            for member in filter(tarfile.TarInfo.isfile, archive):
                stream = archive.extractfile(member)
                assert stream is not None
                found[f"/{member.name}"] = stream.read()
    return found


def test_what_wheels_tell_is_merged_into_the_image_s_own(project: Path, shared: Workspace, tmp_path: Path) -> None:
    built = build(load(project), shared)
    found = inventory_of(built, shared)
    tin = found.distribution("tin")
    assert tin is not None
    assert (tin.version, tin.left_out) == ("1.0", ())
    assert [item.origin for item in found.items if item.name == "openfish"] == ["bundled by tin 1.0"]
    files = contents(built)
    assert files[SBOM_PATH] == cyclonedx(found)
    assert not [path for path in files if path.endswith(SBOMS)]

    again = build(load(project), Workspace(Cache(tmp_path / "another"), run))
    assert again.image.digest == built.image.digest


def test_a_change_of_the_app_leaves_it_as_it_is(project: Path, shared: Workspace) -> None:
    before = build(load(project), shared).image
    (project / "main.py").write_text("import tin\nprint(tin.answer, 'times')\n")
    changed = build(load(project), shared)
    assert changed.packed == {"app"}
    assert changed.image.layers[-1].digest == before.layers[-1].digest


def test_without_it_a_wheel_keeps_its_own(project: Path, shared: Workspace) -> None:
    built = build(load(project, {"sbom": False}), shared)
    assert [layer.name for layer in built.image.layers] == ["runtime", "dependencies", "app"]
    assert [path for path in contents(built) if path.endswith(SBOMS)]
    assert inventory_of(built, shared).distribution("tin") is not None


def test_tiny_tells_which_modules_it_has_left_out(project: Path, shared: Workspace) -> None:
    found = inventory_of(build(load(project, {"recipe": "tiny"}), shared), shared)
    tin = found.distribution("tin")
    assert tin is not None
    assert tin.left_out == ("tin_unused",)
    (python,) = found.of_kind("interpreter")
    assert python.lacks("webbrowser")
    assert not python.lacks("os")


def test_the_wheels_that_went_in_are_named_in_the_provenance_by_their_digests(
    project: Path, shared: Workspace, tmp_path: Path
) -> None:
    app = load(project)
    built = build(app, shared)
    told = provenance_of(app, [built], [inventory_of(built, shared)], shared)
    (wheel,) = (tmp_path / "wheels").glob("tin-*.whl")
    digest = hashlib.sha256(wheel.read_bytes()).hexdigest()
    assert [each.sha256 for each in told.materials if each.name == wheel.name] == [digest]
    assert next(each for each in told.materials if each.name == wheel.name).uri == "pkg:pypi/tin@1.0"

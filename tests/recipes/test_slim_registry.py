"""Bases from real registries: fetched once, looked up when that's asked for, and with a password."""

from __future__ import annotations

import base64
import json
import shutil
import subprocess
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.errors import ImageError, RegistryError
from cannery.image.registry.connection import Connection
from cannery.project.config import load
from cannery.trees.base.image import base_image
from tests.support.base_images import base
from tests.support.layers import file, layer
from tests.support.layouts import AMD64, add_image, add_index, write_index
from tests.support.prerequisites import absent
from tests.support.registry import USER

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.trees.base.image import BaseImage
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject
    from tests.support.registry import Registry

pytestmark = pytest.mark.once


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project({"main.py": ""})


@pytest.fixture(autouse=True)
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A home with no credentials."""
    monkeypatch.setenv("HOME", str(tmp_path))
    for name in ("DOCKER_CONFIG", "REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path


@pytest.fixture
def requests(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What registries are asked."""
    asked: list[str] = []
    send = Connection.ask

    def noted(self: Connection, method: str, url: str, **options: Any) -> object:
        asked.append(f"{method} {'/'.join(url.split('/')[4:])}")
        return send(self, method, url, **options)

    monkeypatch.setattr(Connection, "ask", noted)
    return asked


def fetched(project: Path, reference: str, workspace: Workspace, **settings: object) -> BaseImage:
    return base_image(load(project, {"base": reference, **settings}), workspace)


def test_a_base_is_fetched_once_and_its_tag_looked_up_only_when_that_s_asked_for(
    project: Path, tmp_path: Path, registry: Registry, workspace: Workspace, requests: list[str]
) -> None:
    base(tmp_path / "one")
    reference = registry.push(tmp_path / "one", "base", "team/moving:1")

    first = fetched(project, reference, workspace)
    assert [each.partition(" ")[0] for each in requests] == ["GET"] * 3  # manifest, configuration, layer
    requests.clear()
    assert fetched(project, reference, workspace).base == first.base
    assert requests == []

    refreshing = replace(workspace, refresh=True)
    assert fetched(project, reference, refreshing).base == first.base
    assert requests == ["HEAD manifests/1"]

    base(tmp_path / "two", file("etc/os-release"))
    registry.push(tmp_path / "two", "base", "team/moving:1")
    assert fetched(project, reference, workspace).base == first.base
    assert fetched(project, reference, refreshing).base != first.base


def test_a_digest_is_honoured(project: Path, tmp_path: Path, registry: Registry, workspace: Workspace) -> None:
    base(tmp_path / "one")
    reference = registry.push(tmp_path / "one", "base", "team/pinned:1")
    found = fetched(project, reference, workspace).base
    base(tmp_path / "two", file("etc/os-release"))
    registry.push(tmp_path / "two", "base", "team/pinned:1")

    pinned = f"{reference.rpartition(':')[0]}@{found.digest}"
    again = fetched(project, pinned, workspace).base
    assert (again.digest, again.layers) == (found.digest, found.layers)
    assert again.reference == pinned
    with pytest.raises(RegistryError, match="there is no image"):
        fetched(project, f"{reference.rpartition(':')[0]}@sha256:{'0' * 64}", workspace)


def test_a_manifest_list_of_docker_s_is_read(
    project: Path, tmp_path: Path, registry: Registry, workspace: Workspace
) -> None:
    folder = tmp_path / "list"
    folder.mkdir()
    arm = {"os": "linux", "architecture": "arm64", "variant": "v8"}
    made = {"amd64": layer(tmp_path, file("amd64")), "arm64": layer(tmp_path, file("arm64"))}
    images = [
        add_image(folder, [made["amd64"]], platform=AMD64),
        add_image(folder, [made["arm64"]], platform=arm),
    ]
    index = {**add_index(folder, images), "annotations": {"org.opencontainers.image.ref.name": "list"}}
    write_index(folder, [index])
    reference = registry.push(folder, "list", "team/list:1", "--all", "--format=v2s2")

    assert fetched(project, reference, workspace).base.layers[0].digest == made["amd64"].digest
    other = fetched(project, reference, workspace, platform="linux/arm64")
    assert other.base.layers[0].digest == made["arm64"].digest
    with pytest.raises(ImageError, match="is not there for linux/arm") as raised:
        fetched(project, reference, workspace, platform="linux/arm/v7")
    assert raised.value.evidence == "it's there for: linux/amd64, linux/arm64/v8"


def test_what_is_not_there_is_told(project: Path, registry: Registry, workspace: Workspace) -> None:
    with pytest.raises(RegistryError, match=r"there is no image .*/team/nothing:1"):
        fetched(project, f"{registry.address}/team/nothing:1", workspace)
    assert not (workspace.cache.root / "bases").exists()


@pytest.mark.parametrize("podman", [False, True], ids=["Docker's file", "Podman's file"])
def test_a_password_is_found_where_docker_and_podman_put_it(
    project: Path, tmp_path: Path, home: Path, guarded_registry: Registry, workspace: Workspace, *, podman: bool
) -> None:
    base(tmp_path / "one")
    reference = guarded_registry.push(tmp_path / "one", "base", "team/secret:1", f"--dest-creds={':'.join(USER)}")
    with pytest.raises(RegistryError, match="refuses to hand out team/secret") as raised:
        fetched(project, reference, workspace)
    assert "nobody is logged in" in raised.value.evidence

    path = home / (".config/containers/auth.json" if podman else ".docker/config.json")
    path.parent.mkdir(parents=True)
    entry = {"auth": base64.b64encode(":".join(USER).encode()).decode()}
    path.write_text(json.dumps({"auths": {guarded_registry.address: entry}}))
    assert fetched(project, reference, workspace).base.layers

    path.write_text(json.dumps({"auths": {guarded_registry.address: {"username": USER[0], "password": "wrong"}}}))
    with pytest.raises(RegistryError, match="refuses to hand out") as raised:
        fetched(project, f"{reference.rpartition(':')[0]}:2", workspace)
    assert str(path) in raised.value.evidence
    assert "wrong" not in str(raised.value)


def test_a_layer_that_the_registry_has_altered_is_refused(
    project: Path, tmp_path: Path, registry: Registry, workspace: Workspace
) -> None:
    base(tmp_path / "one", file("etc/altered"))
    reference = registry.push(tmp_path / "one", "base", "team/altered:1")
    (blob,) = [path for path in (tmp_path / "one/blobs/sha256").iterdir() if path.read_bytes().startswith(b"\x1f\x8b")]
    stored = registry.blob(blob.name)
    stored.write_bytes(stored.read_bytes()[:-1] + b"x")
    with pytest.raises(ImageError, match="is not what its digest says"):
        fetched(project, reference, workspace)
    assert not (workspace.cache.root / "base-roots").exists()


def test_an_image_that_umoci_made_has_its_whiteouts_and_links(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    if shutil.which("umoci") is None:
        absent("umoci")

    def umoci(*arguments: str) -> None:
        subprocess.run(["umoci", *arguments], cwd=tmp_path, check=True, capture_output=True)

    (tmp_path / "tree/sub").mkdir(parents=True)
    (tmp_path / "tree/kept").write_text("kept")
    (tmp_path / "tree/again").hardlink_to(tmp_path / "tree/kept")
    (tmp_path / "tree/sub/gone").write_text("gone")
    (tmp_path / "only").mkdir()
    (tmp_path / "only/new").write_text("new")
    umoci("init", "--layout", "made")
    umoci("new", "--image", "made:1")
    umoci("insert", "--image", "made:1", "--rootless", "tree", "/srv")
    umoci("insert", "--image", "made:1", "--rootless", "--whiteout", "/srv/again")
    umoci("insert", "--image", "made:1", "--rootless", "--opaque", "only", "/srv/sub")

    root = fetched(project, f"oci:{tmp_path / 'made'}:1", workspace).root.path
    assert sorted(str(path.relative_to(root)) for path in root.rglob("*")) == [
        "srv", "srv/kept", "srv/sub", "srv/sub/new",
    ]  # fmt: skip

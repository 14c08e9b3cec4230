"""What is built on top of a base: paths, packages, configuration, layers."""

from __future__ import annotations

import dataclasses
import importlib.util
import tarfile
from typing import TYPE_CHECKING, Any

import pytest
from msgspec.structs import replace

from cannery.containers.sandbox.rootfs import rootfs
from cannery.errors import CanneryError, ConfigurationError, ImageError, RequirementsError, RuntimeTreeError, ToolError
from cannery.project.config import load
from cannery.recipes.build import build
from tests.support.base_images import ALPINE, DEBIAN, SITE, base
from tests.support.layers import by_zstd, device, file, layer, symlink
from tests.support.layouts import DOCKER, OCI, docker_archive, layout
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.recipes.plan import Built
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "fish"
        version = "1.0"
        requires-python = ">=3.11"
        dependencies = ["tin", "other; platform_machine == 'aarch64'"]

        [project.scripts]
        fish = "fish:main"

        [tool.cannery]
        recipe = "slim"
    """,
    "fish/__init__.py": "def main():\n    print('fish')\n",
}


@pytest.fixture(autouse=True)
def index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only packages that there are."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    for name in ("tin", "other"):
        make_wheel(wheels, name)
    make_wheel(wheels, "gnu", tag="cp312-cp312-manylinux_2_17_x86_64")
    for name, value in only_from(wheels).items():
        monkeypatch.setenv(name, value)
    return wheels


@pytest.fixture
def project(make_project: MakeProject) -> Path:
    return make_project(PROJECT)


def built(project: Path, workspace: Workspace, **settings: object) -> Built:
    return build(load(project, settings), workspace)


def members(built: Built, number: int) -> dict[str, tarfile.TarInfo]:
    """What is in one of the layers that are ours."""
    assert built.base is not None
    with tarfile.open(built.image.layers[len(built.base.layers) + number].blob) as archive:
        return {f"/{member.name}": member for member in archive}


def test_the_base_s_layers_come_first_and_ours_on_top(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    done = built(project, workspace, base=base(tmp_path / "base"))
    assert [each.name for each in done.image.layers] == ["base-1", "dependencies", "app", "sbom"]
    assert done.packed == {"dependencies", "app", "sbom"}
    assert {each["mediaType"] for each in done.image.manifest["layers"]} == {
        "application/vnd.oci.image.layer.v1.tar+gzip"
    }
    assert [entry.get("created_by") for entry in done.image.config["history"]] == [
        "base", "cannery: dependencies", "cannery: app", "cannery: sbom",
    ]  # fmt: skip


def test_a_base_in_docker_s_media_types_gives_the_same_layers(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    one = built(project, workspace, base=base(tmp_path / "one"))
    other = built(project, workspace, base=base(tmp_path / "other", kind=DOCKER))
    assert one.image.manifest["layers"] == other.image.manifest["layers"]


def test_layers_keep_their_compression(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    kind = {name: value for name, value in OCI.items() if name != "layer"}
    layout(folder, [by_zstd(tmp_path, layer(tmp_path, *DEBIAN)), layer(tmp_path, file("a"))], kind=kind)
    done = built(project, workspace, base=f"oci:{folder}")
    kinds = [each["mediaType"].rpartition(".")[2] for each in done.image.manifest["layers"]]
    assert kinds == ["tar+zstd", "tar+gzip", "tar+gzip", "tar+gzip", "tar+gzip"]
    assert (rootfs(done.image, workspace.cache) / "app/fish/__init__.py").is_file()


def test_layers_of_a_base_that_are_not_compressed_are_compressed_once(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    """An engine saves them so, and who reads an archive may take all layers to be what the first one is."""
    named = f"docker-archive:{docker_archive(tmp_path / 'saved.tar', [layer(tmp_path, *DEBIAN)])}"
    done = built(project, workspace, base=named)
    assert {each["mediaType"].rpartition(".")[2] for each in done.image.manifest["layers"]} == {"tar+gzip"}
    assert all(each.blob.read_bytes()[:2] == b"\x1f\x8b" for each in done.image.layers)
    assert (rootfs(done.image, workspace.cache) / "usr/local/bin/python3.11").is_file()
    assert built(project, workspace, base=named).packed == frozenset()


def test_the_app_lies_there_as_sources_and_its_script_is_for_the_base_s_python(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    done = built(project, workspace, base=base(tmp_path / "base"))
    app = members(done, 1)
    assert {"/app/fish/__init__.py", "/app/fish-1.0.dist-info/METADATA", "/usr/local/bin/fish"} <= app.keys()
    root = rootfs(done.image, workspace.cache)
    assert (root / "usr/local/bin/fish").read_text().startswith("#!/usr/local/bin/python3.11\n")
    assert done.image.config["config"]["Entrypoint"] == ["/usr/local/bin/fish"]


def test_links_of_the_base_stay_links_and_its_folders_keep_their_modes(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    linked = (*DEBIAN, symlink("app", "srv/app"))
    done = built(project, workspace, base=base(tmp_path / "base", *linked))
    assert "/srv/app/fish/__init__.py" in members(done, 1)
    assert members(done, 0)["/usr/local/lib"].mode == 0o2775
    root = rootfs(done.image, workspace.cache)
    assert all((root / name).is_symlink() for name in ("lib", "lib64", "bin", "app"))


def test_a_package_of_the_base_makes_way_for_ours(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    done = built(project, workspace, base=base(tmp_path / "base"))
    site = rootfs(done.image, workspace.cache) / SITE
    assert sorted(path.name for path in site.iterdir()) == ["tin-1.0.dist-info", "tin.py"]


def test_markers_follow_the_base_s_platform(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    arm = base(tmp_path / "base", platform={"os": "linux", "architecture": "arm64", "variant": "v8"})
    done = built(project, workspace, base=arm, platform="linux/arm64")
    assert str(done.image.platform) == "linux/arm64/v8"
    assert f"/{SITE}/other.py" in members(done, 0)
    mine = built(project, workspace, base=base(tmp_path / "mine"))
    assert f"/{SITE}/other.py" not in members(mine, 0)


def configuration(done: Built) -> dict[str, Any]:
    found: dict[str, Any] = done.image.config["config"]
    return found


def test_the_base_s_configuration_is_inherited(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    inherited = {
        "Cmd": ["python3"],
        "Env": ["PATH=/opt/bin:/usr/local/bin", "LANG=xx", "GREETING=hello"],
        "ExposedPorts": {"80/tcp": {}},
        "Healthcheck": {"Test": ["CMD", "true"]},
        "Labels": {"team": "cans", "org.opencontainers.image.title": "base"},
        "OnBuild": ["RUN true"],
        "StopSignal": "SIGINT",
        "User": "web",
        "Volumes": {"/data": {}},
    }
    done = built(project, workspace, base=base(tmp_path / "base", settings=inherited), ports=("8000",))
    config = configuration(done)
    environment = dict(pair.split("=", 1) for pair in config["Env"])
    assert (environment["PATH"], environment["GREETING"]) == ("/opt/bin:/usr/local/bin", "hello")
    assert (environment["LANG"], environment["PYTHONPATH"]) == ("C.UTF-8", "/app")
    assert "SSL_CERT_FILE" not in environment
    assert config["Labels"]["team"] == "cans"
    assert config["Labels"]["org.opencontainers.image.title"] == "fish"
    assert done.base is not None
    assert config["Labels"]["org.opencontainers.image.base.digest"] == str(done.base.digest)
    assert config["ExposedPorts"] == {"80/tcp": {}, "8000/tcp": {}}
    assert (config["Volumes"], config["StopSignal"], config["User"]) == ({"/data": {}}, "SIGINT", "1000:1001")
    assert config["Healthcheck"] == inherited["Healthcheck"]
    assert not {"Cmd", "OnBuild"} & config.keys()


@pytest.mark.parametrize(
    ("of_base", "setting", "user"),
    [("", None, "65535:65535"), ("root", None, "65535:65535"), ("0:0", None, "65535:65535"), ("web", 7, "7:7"),
     ("4711", None, "4711:0"), ("web:root", None, "1000:0"), ("", 0, "0:0")],
)  # fmt: skip
def test_the_user_is_a_number_and_not_root_unless_that_is_asked_for(
    project: Path, tmp_path: Path, workspace: Workspace, of_base: str, setting: int | None, user: str
) -> None:
    named = base(tmp_path / "base", settings={"User": of_base})
    assert configuration(built(project, workspace, base=named, user=setting))["User"] == user


def test_the_user_has_an_entry_in_the_base_s_own_accounts(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    done = built(project, workspace, base=base(tmp_path / "base"))
    passwd = (rootfs(done.image, workspace.cache) / "etc/passwd").read_text().splitlines()
    assert passwd[1:] == ["web:x:1000:1001::/srv:/bin/sh", "app:x:65535:65535:app:/tmp:/sbin/nologin"]


def test_a_base_with_no_certificates_gets_some(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    bare = [each for each in DEBIAN if not each[0].name.startswith("etc/ssl")]
    done = built(project, workspace, base=base(tmp_path / "base", *bare))
    assert "/etc/ssl/certs/ca-certificates.crt" in members(done, 1)
    assert "SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt" in configuration(done)["Env"]


def test_nothing_is_packed_again_and_a_change_of_the_app_packs_the_app(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    named = base(tmp_path / "base")
    first = built(project, workspace, base=named)
    again = built(project, workspace, base=named)
    assert (again.packed, again.image.digest) == (frozenset(), first.image.digest)
    (project / "fish/__init__.py").write_text("def main():\n    print('more fish')\n")
    assert built(project, workspace, base=named).packed == {"app"}


def test_another_cache_gives_the_same_digest(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    named = base(tmp_path / "base")
    other = replace(workspace, cache=dataclasses.replace(workspace.cache, root=tmp_path / "other"))
    assert built(project, workspace, base=named).image.digest == built(project, other, base=named).image.digest


def test_a_base_that_changed_is_read_again(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    first = built(project, workspace, base=base(tmp_path / "base"))
    second = built(project, workspace, base=base(tmp_path / "base", *DEBIAN, file("new")))
    assert first.base is not None
    assert second.base is not None
    assert first.base.digest != second.base.digest


def test_blobs_that_are_gone_from_the_cache_are_fetched_again(
    project: Path, tmp_path: Path, workspace: Workspace
) -> None:
    named = base(tmp_path / "base")
    first = built(project, workspace, base=named)
    first.image.layers[0].blob.unlink()
    second = built(project, workspace, base=named)
    assert second.image.digest == first.image.digest
    assert second.image.layers[0].blob.is_file()


def test_an_archive_of_docker_s_is_a_base_too(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    docker_archive(project / "base.tar", [layer(tmp_path, *DEBIAN)], "base:1")
    done = built(project, workspace, base="docker-archive:base.tar:base:1")
    assert done.image.manifest["layers"][0]["mediaType"] == "application/vnd.oci.image.layer.v1.tar+gzip"


@pytest.mark.parametrize(
    ("settings", "kind", "told"),
    [
        ({"base": None}, ConfigurationError, "the recipe 'slim' needs a base"),
        ({"base": "oci:nowhere"}, ImageError, "there is no image in"),
        ({"base": "docker-archive:nowhere.tar"}, ImageError, "there is no archive"),
        ({"base": "{base}", "platform": "linux/arm64"}, ImageError, "is for linux/amd64, not for linux/arm64"),
        ({"base": "{base}", "python": "3.12"}, ConfigurationError, "has Python 3.11.9"),
        ({"base": "{base}", "compile": True}, ConfigurationError, "the recipe 'slim' ships sources"),
        ({"base": "{base}", "libraries": ("libgone.so.1",)}, RuntimeTreeError, "lacks the shared library libgone.so.1"),
    ],
    ids=lambda value: str(value) if isinstance(value, str) else "",
)
def test_what_can_t_be_is_told(
    project: Path, tmp_path: Path, workspace: Workspace, settings: dict[str, Any], kind: type[CanneryError], told: str
) -> None:
    named = base(tmp_path / "base")
    filled = {key: value.format(base=named) if isinstance(value, str) else value for key, value in settings.items()}
    with pytest.raises(kind) as raised:
        built(project, workspace, **filled)
    assert told in raised.value.what
    assert raised.value.step


def test_a_base_with_no_python_is_told(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    with pytest.raises(RuntimeTreeError, match="has no Python"):
        built(project, workspace, base=base(tmp_path / "base", file("bin/sh")))


def test_a_python_that_the_project_does_not_want_is_told(
    make_project: MakeProject, tmp_path: Path, workspace: Workspace
) -> None:
    newer = {**PROJECT, "pyproject.toml": PROJECT["pyproject.toml"].replace(">=3.11", ">=3.12")}
    with pytest.raises(
        ConfigurationError, match=r"the project asks for Python >=3\.12, and the base .* has Python 3\.11\.9"
    ):
        built(make_project(newer), workspace, base=base(tmp_path / "base"))


@pytest.mark.parametrize(
    ("member", "told"),
    [
        (file("../escape"), "'../escape'"),
        (file("/etc/cron.d/job"), "'/etc/cron.d/job'"),
        (device("dev/sda"), "'dev/sda'"),
    ],
)
def test_a_hostile_base_is_refused_by_name_and_nothing_is_left(
    project: Path, tmp_path: Path, workspace: Workspace, member: Any, told: str
) -> None:
    with pytest.raises(ImageError) as raised:
        built(project, workspace, base=base(tmp_path / "base", *DEBIAN, member))
    assert told in raised.value.what
    assert not list((workspace.cache.root / "base-roots").glob("*"))
    assert not list((workspace.cache.root / "tmp").glob("*"))


def test_without_the_client_for_registries_its_extra_is_named(
    project: Path, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None if name == "requests" else find(name))
    with pytest.raises(ToolError) as raised:
        built(project, workspace, base="python:3.11-slim")
    assert '[registry]"' in raised.value.step


def test_what_python_optimizes_is_said_to_it(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    done = built(project, workspace, base=base(tmp_path / "base"), optimize=2)
    assert "PYTHONOPTIMIZE=2" in configuration(done)["Env"]


def test_too_many_layers_are_told(project: Path, tmp_path: Path, workspace: Workspace) -> None:
    folder = tmp_path / "base"
    folder.mkdir()
    layout(folder, [layer(tmp_path, *DEBIAN), *[layer(tmp_path, file("a"))] * 124])
    with pytest.raises(ImageError, match="the image would have 128 layers, and engines take 127"):
        built(project, workspace, base=f"oci:{folder}")


@pytest.mark.parametrize("requirement", ["gnu", "gnu==1.0"])
def test_on_alpine_a_dependency_with_no_wheel_for_musl_is_told_by_its_name(
    make_project: MakeProject, tmp_path: Path, workspace: Workspace, requirement: str
) -> None:
    project = make_project({"main.py": "", "requirements.txt": f"{requirement}\n"})
    with pytest.raises(RequirementsError) as raised:
        built(project, workspace, recipe="slim", base=base(tmp_path / "base", *ALPINE))
    assert raised.value.what == "gnu has no wheel for musl, which Alpine's Python runs on", raised.value.evidence


def test_on_alpine_pure_packages_go_where_its_python_looks(
    make_project: MakeProject, tmp_path: Path, workspace: Workspace
) -> None:
    project = make_project({"main.py": "", "requirements.txt": "tin\n"})
    done = built(project, workspace, recipe="slim", base=base(tmp_path / "base", *ALPINE))
    assert "/usr/lib/python3.12/site-packages/tin.py" in members(done, 0)
    assert configuration(done)["Entrypoint"] == ["/usr/bin/python3.12", "/app/main.py"]

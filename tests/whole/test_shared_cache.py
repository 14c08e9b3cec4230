"""Builds of several machines share what they make by way of a registry: no wheel is needed twice."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from typing import TYPE_CHECKING, Any

import pytest

from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.command import assert_whole, cannery
from tests.support.wheels import make_wheel, only_from

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject
    from tests.support.registry import Base, Registry

pytestmark = [pytest.mark.once, pytest.mark.slow]

MAIN = "import tin\n\nprint(tin.answer)\n"


@pytest.fixture
def wheels(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The only index, which has one wheel."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    make_wheel(folder, "tin", files={"large.txt": b"tin " * 10_000, "tin-1.0.data/data/share/tin.txt": b"sardines"})
    for name, value in only_from(folder).items():
        monkeypatch.setenv(name, value)
    return folder


@pytest.fixture
def project(make_project: MakeProject, wheels: Path) -> Path:
    digest = hashlib.sha256(next(wheels.iterdir()).read_bytes()).hexdigest()
    return make_project({"main.py": MAIN, "requirements.txt": f"tin==1.0 --hash=sha256:{digest}\n"})


def on_another_machine(project: Path, name: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of the project for a machine with an empty cache."""
    folder = project.with_name(name) / project.name
    shutil.copytree(project, folder)
    monkeypatch.setenv("CANNERY_CACHE", str(folder.with_name("cache")))
    return folder


def pushed(project: Path, *words: str) -> dict[str, Any]:
    report: dict[str, Any] = cannery("push", "--json", *words, cwd=project).report
    return report


def blobs(report: dict[str, Any]) -> dict[str, str]:
    return {each["name"]: each["state"] for each in report["pushed"][0]["blobs"]}


@pytest.mark.parametrize("recipe", ["scratch", "tiny"])
def test_a_machine_that_never_saw_the_project_packs_what_changed_and_installs_no_wheel(
    project: Path, wheels: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch, recipe: str
) -> None:
    own = os.environ["CANNERY_CACHE"]
    words = ("--recipe", recipe, "--", f"{registry.address}/shared/{recipe}:1")
    first = pushed(project, *words)
    assert {*first["packed"]} >= {"dependencies", "app"}  # another test may have packed that runtime
    shutil.rmtree(wheels)

    same = pushed(on_another_machine(project, "second", monkeypatch), *words)
    assert (same["digest"], same["packed"]) == (first["digest"], [])
    assert same["pushed"][0]["bytes_sent"] == same["bytes_for_other_builds"] == 0

    third = on_another_machine(project, "third", monkeypatch)
    (third / "main.py").write_text(f"{MAIN}print('changed')\n")
    changed = pushed(third, *words)
    assert changed["packed"] == ["app"]
    assert changed["pushed"][0]["bytes_sent"] + changed["bytes_for_other_builds"] < 20_000
    assert not (third.with_name("cache") / "dependencies").exists()

    monkeypatch.setenv("CANNERY_CACHE", own)  # on the first machine, which has made everything by itself
    (project / "main.py").write_text((third / "main.py").read_text())
    assert pushed(project, "--dry-run", *words)["digest"] == changed["digest"]


def test_on_a_base_the_dependencies_are_taken_too(
    project: Path, wheels: Path, registry: Registry, slim_base: Base, monkeypatch: pytest.MonkeyPatch
) -> None:
    words = ("--recipe", "slim", "--base", slim_base.reference, "--", f"{registry.address}/shared/slim:1")
    first = pushed(project, *words)
    shutil.rmtree(wheels)
    second = on_another_machine(project, "second", monkeypatch)
    assert pushed(second, *words)["digest"] == first["digest"]
    (second / "main.py").write_text(f"{MAIN}print('changed')\n")
    assert pushed(second, *words)["packed"] == ["app"]
    assert not (second.with_name("cache") / "dependencies").exists()


def test_an_archive_gets_its_layers_from_there(
    project: Path, wheels: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    repository = f"{registry.address}/shared/archive"
    digest = pushed(project, "--", f"{repository}:1")["digest"]
    shutil.rmtree(wheels)
    second = on_another_machine(project, "second", monkeypatch)
    assert cannery("image", "--json", "--cache-from", repository, cwd=second).report["digest"] == digest
    assert_whole(second)


def test_another_repository_gets_them_by_a_mount_and_another_registry_by_this_machine(
    project: Path, wheels: Path, registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    first = pushed(project, "--", f"{registry.address}/shared/one:1")
    shutil.rmtree(wheels)
    second = on_another_machine(project, "second", monkeypatch)
    source = ("--cache-from", f"{registry.address}/shared/one", "--")
    near = pushed(second, *source, f"{registry.address}/shared/two:1")
    assert blobs(near) == dict.fromkeys(blobs(first), "mounted")
    with serving(AwkwardRegistry()) as other:
        far = pushed(second, *source, f"{other.address}/far:1")
        assert other.is_whole("far", "1")
    assert blobs(far) == dict.fromkeys(blobs(first), "sent")
    assert far["digest"] == near["digest"] == first["digest"]


def test_no_cache_is_read_or_left_where_none_is_wanted(project: Path, registry: Registry) -> None:
    name = f"{registry.address}/shared/alone"
    assert pushed(project, "--cache-from", "none", "--", f"{name}:1")["bytes_for_other_builds"] == 0
    tags = registry.data / "docker/registry/v2/repositories/shared/alone/_manifests/tags"
    assert [each.name for each in tags.iterdir()] == ["1"]


def test_a_cache_that_is_no_use_is_told_and_costs_time_alone(project: Path) -> None:
    (project / "main.py").write_text(f"{MAIN}print('asked for by no other test')\n")
    with serving(AwkwardRegistry()) as registry:
        named = ("--cache-from", "127.0.0.1:1/nobody", "--", f"{registry.address}/app:1")
        (note,) = pushed(project, *named)["notes"]
        assert "127.0.0.1:1/nobody:cannery-cache-scratch-linux-" in note
        (tag,) = [tag for tag in registry.manifests["app"] if tag.startswith("cannery-cache-")]
        registry.manifests["app"][tag] = b'{"layers": 1}'
        (project / "main.py").write_text(f"{MAIN}print('packed by no other test')\n")
        (note,) = pushed(project, "--", f"{registry.address}/app:2")["notes"]
        assert f"{registry.address}/app:{tag} was of no use: the cache " in note
        assert registry.is_whole("app", "2")
        assert registry.is_whole("app", tag)  # it was mended


@pytest.mark.parametrize("record", [{}, {"layer": 1}, {"layer": {"digest": "../../secret", "diff_id": "", "size": 6}}])
def test_records_that_are_none_are_told_and_replaced(
    project: Path, monkeypatch: pytest.MonkeyPatch, record: dict[str, Any]
) -> None:
    """Names of files aren't taken from them either: the blob of such a layer is no file of this machine."""
    with serving(AwkwardRegistry()) as registry:
        words = ("--", f"{registry.address}/shared/app:1")
        first = pushed(project, *words)
        tag = next(name for name in registry.manifests["shared/app"] if name.startswith("cannery-cache"))
        manifest = json.loads(registry.manifests["shared/app"][tag])
        small = json.loads(manifest["annotations"]["dev.cannery.records"])
        small |= {name: record for name in small if name.startswith("layers/")}
        manifest["annotations"]["dev.cannery.records"] = json.dumps(small)
        registry.manifests["shared/app"][tag] = json.dumps(manifest).encode()
        other = on_another_machine(project, "other", monkeypatch)
        done = cannery("push", *words, cwd=other)
        assert done.code == 0, done.stderr
        assert "was of no use: a record in it is none of cannery's" in done.stderr + done.stdout
        assert first["pushed"][0]["reference"] in done.stdout
        assert pushed(on_another_machine(project, "third", monkeypatch), *words)["packed"] == []

"""``cannery prune``, ``ps`` and ``images``: what cannery made, and nothing that others made."""

from __future__ import annotations

import io
import json
import sys
from typing import TYPE_CHECKING

import pexpect
import pytest

from tests.containers.engine.conftest import cannery, started

if TYPE_CHECKING:
    from pathlib import Path

    from tests.support.engine_services import Service

pytestmark = [pytest.mark.once, pytest.mark.slow]


@pytest.fixture
def dangling(service: Service, tmp_path: Path) -> str:
    """The ID of an image whose name a later build took."""
    ids = []
    for text in ("a = 1", "a = 2"):
        (tmp_path / "main.py").write_text(text)
        (tmp_path / "pyproject.toml").write_text('[tool.cannery]\nname = "moved"\n')
        ids.append(json.loads(cannery("image", "--json", cwd=tmp_path).stdout)["id"])
    assert ids[0] in all_images(service)
    return str(ids[0])


@pytest.fixture
def built_on_ours(service: Service, project: Path) -> str:
    """An untagged image that somebody else made from one of ours: it has our labels."""
    cannery("image", cwd=project)
    container = service.client.create_container("tinned:latest", command=["x"])["Id"]
    return str(service.client.commit(container, message="theirs")["Id"])


def all_images(service: Service) -> set[str]:
    return {found["Id"] for found in service.client.images(all=True)}


def theirs(service: Service) -> str:
    """A stopped container that somebody else made from our image."""
    return str(service.client.create_container("tinned:latest", command=["x"], name="theirs")["Id"])


def ours(service: Service) -> str:
    """A stopped container of ours, as a killed cannery leaves it."""
    labels = {"dev.cannery.task": "run"}
    return str(service.client.create_container("tinned:latest", command=["x"], name="ours", labels=labels)["Id"])


def test_own_stopped_containers_and_untagged_images_go_and_nothing_else(
    service: Service, project: Path, dangling: str, built_on_ours: str
) -> None:
    theirs(service)
    ours(service)
    named = (found["Id"] for found in service.client.images() if found["RepoTags"] not in (None, [], ["<none>:<none>"]))
    tagged = set(named) - {dangling, built_on_ours}
    done = cannery("prune", "--yes", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "removed, " in done.stdout
    names = service.containers()
    assert "/theirs" in names
    assert "/ours" not in names
    assert dangling not in all_images(service)
    assert tagged <= all_images(service)
    assert any(built_on_ours.removeprefix("sha256:") in found for found in all_images(service))


@pytest.mark.usefixtures("dangling")
def test_what_would_go_is_shown_with_its_size_and_stays(service: Service, project: Path) -> None:
    before = all_images(service)
    done = cannery("prune", "--dry-run", cwd=project)
    assert "untagged image" in done.stdout
    assert "together" in done.stdout
    assert all_images(service) == before


@pytest.mark.usefixtures("dangling")
def test_without_a_terminal_and_without_yes_nothing_goes(service: Service, project: Path) -> None:
    before = all_images(service)
    done = cannery("prune", cwd=project)
    assert done.returncode == 6
    assert "add --yes" in done.stderr
    assert all_images(service) == before


@pytest.mark.usefixtures("dangling")
@pytest.mark.parametrize(("answer", "said"), [("n", "nothing was removed"), ("y", "removed, ")])
def test_on_a_terminal_it_asks(service: Service, project: Path, answer: str, said: str) -> None:
    before = all_images(service)
    child = pexpect.spawn(sys.executable, ["-m", "cannery", "prune"], cwd=str(project), encoding="utf-8", timeout=60)
    child.expect("Remove all that")
    child.sendline(answer)
    child.expect(said)
    child.expect(pexpect.EOF)
    assert (all_images(service) == before) == (answer == "n")


def test_what_is_used_by_now_stays_and_the_rest_goes(service: Service, project: Path, dangling: str) -> None:
    cannery("image", cwd=project)
    ours(service)
    child = pexpect.spawn(sys.executable, ["-m", "cannery", "prune"], cwd=str(project), encoding="utf-8", timeout=60)
    child.expect("Remove all that")
    service.client.create_container(dangling, command=["x"], name="new")
    child.sendline("y")
    child.expect(r"1 of \d+ could not be removed")
    child.expect("untagged image " + dangling.partition(":")[2][:12])
    child.expect(pexpect.EOF)
    child.close()
    assert child.exitstatus == 6
    assert service.containers() == ["/new"]
    assert dangling in all_images(service)


def test_running_containers_go_only_when_that_is_asked_for(service: Service, project: Path) -> None:
    with started(project, "catch") as process:
        cannery("prune", "--yes", cwd=project)
        assert len(service.containers()) == 1
        done = cannery("prune", "--yes", "--running", cwd=project)
        assert done.returncode == 0, done.stderr
        process.communicate()
    assert service.containers() == []


@pytest.mark.usefixtures("dangling", "built_on_ours")
def test_with_all_whatever_is_unused_goes(service: Service, project: Path) -> None:
    service.client.import_image_from_data(io.BytesIO(bytes(10240)).read(), repository="somebody", tag="else")
    theirs(service)
    done = cannery("prune", "--yes", "--all", cwd=project)
    assert done.returncode == 0, done.stderr
    assert service.containers() == []
    assert all_images(service) == set()


@pytest.mark.usefixtures("service")
def test_the_bytes_that_come_free_count_a_shared_layer_once(project: Path, dangling: str) -> None:
    done = cannery("prune", "--dry-run", cwd=project)
    (line,) = [line for line in done.stdout.splitlines() if dangling.removeprefix("sha256:")[:12] in line]
    assert "MB" not in line  # its runtime, of many megabytes, is the later build's as well


def test_listings_show_what_cannery_made(service: Service, project: Path, built_on_ours: str) -> None:
    theirs(service)
    ours(service)
    shown = json.loads(cannery("ps", "--json", cwd=project).stdout)
    assert [(row["name"], row["task"]) for row in shown] == [("ours", "run")]
    listed = json.loads(cannery("images", "--json", cwd=project).stdout)
    assert any("tinned:latest" in row["image"] for row in listed)
    assert built_on_ours not in [row["id"] for row in listed]
    assert "tinned:latest" in cannery("images", cwd=project).stdout
    assert "ours" in cannery("ps", cwd=project).stdout


def test_without_an_engine_listings_say_so(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CANNERY_ENGINE", "none")
    done = cannery("ps", cwd=project)
    assert done.returncode == 6
    assert "no engine answers" in done.stderr


def test_one_is_removed_by_its_name_or_id_though_it_has_a_tag(
    service: Service, project: Path, tmp_path: Path, dangling: str
) -> None:
    cannery("image", cwd=project)
    container = ours(service)
    (tmp_path / "main.py").write_text("a = 3")
    tagged = json.loads(cannery("image", "--json", cwd=tmp_path).stdout)["id"]
    done = cannery("prune", "--yes", "--name", f"{container[:12]},moved", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "/ours" not in service.containers()
    assert tagged not in all_images(service)
    assert dangling in all_images(service)


def test_one_kind_is_removed_alone(service: Service, project: Path, dangling: str) -> None:
    cannery("image", cwd=project)
    ours(service)
    done = cannery("prune", "--yes", "--only", "containers", cwd=project)
    assert done.returncode == 0, done.stderr
    assert "/ours" not in service.containers()
    assert dangling in all_images(service)


@pytest.mark.parametrize(
    ("flags", "told"),
    [
        (("--only", "image"), "there is no kind 'image' to remove\n  did you mean 'images'?"),
        (("--name", "theirs"), "nothing of cannery's is called theirs\nNext: ps and images list what there is"),
    ],
)
def test_what_is_not_there_can_t_be_removed(service: Service, project: Path, flags: tuple[str, ...], told: str) -> None:
    cannery("image", cwd=project)
    theirs(service)
    refused = cannery("prune", "--yes", *flags, cwd=project)
    assert refused.returncode == 2
    assert told in refused.stderr
    assert "/theirs" in service.containers()

"""Every member of a workspace at once: those that start something, each blob once, nothing where one doesn't build."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.support.awkward_registry import AwkwardRegistry, serving
from tests.support.command import assert_refused, cannery

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

FILES = {
    "pyproject.toml": '[tool.uv.workspace]\nmembers = ["services/*", "lib"]\nexclude = ["services/old"]\n',
    **{f"services/{name}/pyproject.toml": f'[project]\nname = "{name}"\nversion = "1"\n' for name in ("a", "b", "old")},
    **{f"services/{name}/main.py": f"print({name!r})\n" for name in ("a", "b", "old")},
    "services/notes/README.md": "no project\n",
    "lib/pyproject.toml": '[project]\nname = "lib"\nversion = "1"\n',
    "lib/lib/__init__.py": "",
}


@pytest.fixture
def folder(make_project: MakeProject) -> Path:
    return make_project(FILES)


@pytest.fixture
def registry() -> Iterator[AwkwardRegistry]:
    with serving(AwkwardRegistry()) as running:
        yield running


def test_a_blob_that_several_have_is_sent_once(folder: Path, registry: AwkwardRegistry) -> None:
    words = ("push", "--all", "--json", "--registry", f"{registry.address}/team")
    report = cannery(*words, "--image-refs", "refs", cwd=folder).report
    assert (list(report["members"]), report["skipped"]) == (["services/a", "services/b"], ["lib"])
    first, second = (
        {blob["name"]: blob["state"] for blob in each["pushed"][0]["blobs"]} for each in report["members"].values()
    )
    assert first == dict.fromkeys(("runtime", "app", "sbom", "configuration"), "sent")
    assert second == {"runtime": "mounted", "app": "sent", "sbom": "sent", "configuration": "sent"}
    assert all(registry.is_whole(f"team/{name}", "latest") for name in "ab")
    references = [each["pushed"][0]["reference"] for each in report["members"].values()]
    assert (folder / "refs").read_text().splitlines() == references

    (folder / "services/b/main.py").write_text("print('changed')\n")
    registry.requests.clear()
    again = cannery(*words, cwd=folder / "services/a").report["members"]
    assert {name: each["packed"] for name, each in again.items()} == {"services/a": [], "services/b": ["app"]}
    assert again["services/a"]["pushed"][0]["bytes_sent"] == 0
    asked = [method for method, path in registry.requests if "/team/a/" in path]
    assert asked == ["HEAD", "GET"]  # the image, and the cache


def test_images_lie_in_each_member_s_own_folder(folder: Path) -> None:
    done = cannery("image", "--all", cwd=folder)
    assert done.code == 0, done.stderr
    assert "skipped  lib: nothing to start" in done.stdout
    assert sorted(path.relative_to(folder).as_posix() for path in folder.rglob("*.tar")) == [
        "services/a/dist/a.tar",
        "services/b/dist/b.tar",
    ]


def test_where_one_does_not_build_nothing_is_pushed(folder: Path, registry: AwkwardRegistry) -> None:
    (folder / "services/b/main.py").write_text("import nothing_has_it\n")
    done = cannery("push", "--all", "--registry", f"{registry.address}/team", cwd=folder)
    assert "services/b: main.py:1 imports nothing_has_it" in assert_refused(done, 3)
    assert registry.manifests == {}


@pytest.mark.parametrize(
    ("words", "changes", "told"),
    [
        (("push", "--all"), {}, "services/a: nothing says where to push the image"),
        (("push", "--all", "--", "127.0.0.1:1/x"), {}, "--all pushes each member to a repository of its own"),
        (("push", "--all"), {"pyproject.toml": ""}, "is no workspace, and no member of one"),
        (("image", "--all", "--output", "x.tar"), {}, "--output, --builder, --check"),
        (
            ("image", "--all"),
            {"services/b/pyproject.toml": '[project]\nname = "a"\nversion = "1"\n'},
            "have the image a",
        ),
        (("image", "--all"), dict.fromkeys(("services/a/main.py", "services/b/main.py"), ""), "no member of the"),
    ],
)
def test_what_cannot_be_is_one_message(
    folder: Path, make_project: MakeProject, words: tuple[str, ...], changes: dict[str, str], told: str
) -> None:
    make_project(changes)
    for path, text in changes.items():
        if not text and path.endswith(".py"):
            (folder / path).unlink()
    assert told in assert_refused(cannery(*words, cwd=folder), 2)


def test_those_that_did_not_change_are_left_out(folder: Path, registry: AwkwardRegistry) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@b.c")
    for words in ("init", "-q"), ("add", "-A"), (*who, "commit", "-qm", "first"):
        subprocess.run(["git", *words], cwd=folder, check=True)
    (folder / "services/b/main.py").write_text("print('changed')\n")
    words = ("push", "--all", "--since", "HEAD", "--json", "--registry", f"{registry.address}/team")
    report = cannery(*words, cwd=folder).report
    assert (list(report["members"]), report["unchanged"]) == (["services/b"], ["services/a"])
    assert list(registry.manifests) == ["team/b"]

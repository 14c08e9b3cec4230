"""What is in an image, and what isn't."""

from __future__ import annotations

import tarfile
from typing import TYPE_CHECKING

import pytest

from tests.support.built_image import layer_names

if TYPE_CHECKING:
    from tests.support.built_image import BuiltImage


@pytest.fixture(scope="session")
def files(sample: BuiltImage) -> dict[str, tarfile.TarInfo]:
    """Every member of every layer."""
    found: dict[str, tarfile.TarInfo] = {}
    with tarfile.open(sample.archive) as archive:
        for name in layer_names(archive):
            with tarfile.open(fileobj=archive.extractfile(name), mode="r:gz") as layer:
                found.update({f"/{member.name}": member for member in layer})
    return found


def test_there_is_no_source(files: dict[str, tarfile.TarInfo]) -> None:
    assert not [name for name in files if name.endswith((".py", ".pyx", ".c"))]


def test_the_app_is_bytecode(files: dict[str, tarfile.TarInfo]) -> None:
    assert {name for name in files if name.startswith("/app/") and files[name].isfile()} == {
        "/app/main.pyc", "/app/my_project/__init__.pyc", "/app/my_project/cli.pyc",
    }  # fmt: skip


def test_there_is_no_shell_and_no_package_manager(files: dict[str, tarfile.TarInfo]) -> None:
    programs = {name for name, member in files.items() if member.isfile() and member.mode & 0o111 and "/bin/" in name}
    assert len(programs) == 1
    assert programs.pop().startswith("/usr/local/bin/python3.")
    assert not [name for name in files if "/site-packages/pip/" in name]


def test_everything_belongs_to_root_and_only_tmp_can_be_written(files: dict[str, tarfile.TarInfo]) -> None:
    assert {(member.uid, member.gid) for member in files.values()} == {(0, 0)}
    writable = {name: oct(member.mode) for name, member in files.items() if member.mode & 0o022 and not member.issym()}
    assert writable == {"/tmp": "0o1777"}
    assert not [name for name, member in files.items() if member.mode & 0o6000]


@pytest.mark.parametrize(
    "path", ["/etc/passwd", "/etc/group", "/etc/nsswitch.conf", "/etc/ssl/certs/ca-certificates.crt"]
)
def test_the_system_s_small_files_are_there(files: dict[str, tarfile.TarInfo], path: str) -> None:
    assert files[path].isfile()
    assert files[path].size > 0


def test_time_zones_are_there_as_polars_uses_them(files: dict[str, tarfile.TarInfo]) -> None:
    assert "/usr/share/zoneinfo/Europe/Berlin" in files


def test_layers_go_from_what_changes_rarely_to_what_changes_often(sample: BuiltImage) -> None:
    assert [layer["name"] for layer in sample.report["layers"]] == ["runtime", "dependencies", "app", "sbom"]


def test_the_entry_point_is_in_exec_form_and_the_user_is_a_number(sample: BuiltImage) -> None:
    config = sample.report["config"]
    assert config["Entrypoint"][1:] == ["/app/main.pyc"]
    assert config["User"] == "65535:65535"
    assert config["WorkingDir"] == "/app"


def test_labels_come_from_the_project_s_metadata(sample: BuiltImage) -> None:
    labels = sample.report["config"]["Labels"]
    assert labels["org.opencontainers.image.title"] == "my-project"
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"

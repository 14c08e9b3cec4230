"""What an image's configuration says to run."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.containers.sandbox.container import DEFAULT_PATH, container, container_in
from cannery.errors import ImageError
from cannery.image.accounts import Accounts

if TYPE_CHECKING:
    from cannery.containers.sandbox.container import Container

ACCOUNTS = Accounts(
    "root:x:0:0:root:/root:/bin/sh\nbroken line\napp:x:1000:1001:An app:/home/app:/bin/sh\nhomeless:x:5:6:::\n",
    "root:x:0:\nstaff:x:50:app\n",
)


def made(args: tuple[str, ...] = (), **settings: object) -> Container:
    return container(Path("/root"), {"config": {"Entrypoint": ["/app"], **settings}}, args, ACCOUNTS)


@pytest.mark.parametrize(
    ("settings", "args", "argv"),
    [
        ({"Entrypoint": ["a", "b"], "Cmd": ["c"]}, (), ("a", "b", "c")),
        ({"Entrypoint": ["a", "b"], "Cmd": ["c"]}, ("d", "e f"), ("a", "b", "d", "e f")),
        ({"Entrypoint": None, "Cmd": ["c"]}, (), ("c",)),
        ({"Entrypoint": None, "Cmd": ["c"]}, ("d",), ("d",)),
        ({"Entrypoint": ["a"], "Cmd": None}, (), ("a",)),
    ],
)
def test_arguments_take_the_place_of_cmd_and_follow_the_entry_point(
    settings: dict[str, list[str] | None], args: tuple[str, ...], argv: tuple[str, ...]
) -> None:
    assert made(args, **settings).argv == argv


def test_an_image_that_names_no_program_is_an_error() -> None:
    with pytest.raises(ImageError, match="names no program"):
        made(Entrypoint=None)


def test_the_environment_is_the_images_over_path_and_home() -> None:
    assert made().env == {"PATH": DEFAULT_PATH, "HOME": "/root"}
    assert made(Env=["PATH=/app", "A=b=c", "EMPTY="], User="app").env == {
        "PATH": "/app",
        "HOME": "/home/app",
        "A": "b=c",
        "EMPTY": "",
    }


def test_the_working_directory_is_the_root_where_none_is_set() -> None:
    assert (made().working_directory, made(WorkingDir="/srv").working_directory) == ("/", "/srv")


def test_the_images_volumes_are_scratch() -> None:
    assert made(Volumes={"/b": {}, "/a": {}}).scratch == ("/a", "/b")


def test_accounts_are_read_behind_links_of_the_image(tmp_path: Path) -> None:
    (tmp_path / "usr" / "etc").mkdir(parents=True)
    (tmp_path / "etc").symlink_to("/usr/etc")
    (tmp_path / "usr" / "etc" / "passwd").write_text("app:x:7:8::/srv:/bin/sh\n")

    who = container_in(tmp_path, {"config": {"Cmd": ["x"], "User": "app"}})
    assert (who.uid, who.gid, who.env["HOME"]) == (7, 8, "/srv")

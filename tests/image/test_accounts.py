"""Who a program of an image runs as."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ImageError
from cannery.image.accounts import Account, Accounts, account, accounts_in

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = pytest.mark.once

ACCOUNTS = Accounts(
    "root:x:0:0:root:/root:/bin/sh\nbroken line\napp:x:1000:1001:An app:/home/app:/bin/sh\nhomeless:x:5:6:::\n",
    "root:x:0:\nstaff:x:50:app\n",
)


@pytest.mark.parametrize(
    ("user", "expected"),
    [
        ("", Account(0, 0, "/root")),
        ("app", Account(1000, 1001, "/home/app")),
        ("1000", Account(1000, 1001, "/home/app")),
        ("1000:7", Account(1000, 7, "/home/app")),
        ("app:staff", Account(1000, 50, "/home/app")),
        ("65535", Account(65535, 0, "/")),
        ("65535:65535", Account(65535, 65535, "/")),
        ("homeless", Account(5, 6, "/")),
        (":staff", Account(0, 50, "/root")),
    ],
)
def test_a_user_is_looked_up_in_the_images_accounts(user: str, expected: Account) -> None:
    assert account(user, ACCOUNTS) == expected


@pytest.mark.parametrize(("user", "message"), [("nobody", "no user 'nobody'"), ("app:wheel", "no group 'wheel'")])
def test_an_account_that_the_image_does_not_have_is_an_error(user: str, message: str) -> None:
    with pytest.raises(ImageError, match=message):
        account(user, ACCOUNTS)


def test_an_image_without_accounts_runs_as_a_number(tmp_path: Path) -> None:
    assert account("65535:65535", accounts_in(tmp_path)) == Account(65535, 65535, "/")


def test_accounts_that_a_link_leads_out_to_are_nobody_s(tmp_path: Path) -> None:
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/passwd").symlink_to("../../etc/passwd")
    with pytest.raises(ImageError, match="leaves the image through a symbolic link"):
        accounts_in(tmp_path)

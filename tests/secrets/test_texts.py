"""Secrets in texts: what they are called, in which line they stand, and what stands there in their place."""

from __future__ import annotations

import io

import pytest

from cannery.secrets.assignments import assigned
from cannery.secrets.commands import secret_in_command, secret_of_variable
from cannery.secrets.search import SecretSearch
from cannery.secrets.values import is_placeholder, may_be_password
from tests.support.made_up_tokens import GITHUB, drawn

pytestmark = pytest.mark.once


def test_a_secret_is_told_by_kind_name_and_line() -> None:
    text = f"a: 1\nb: 2\ndb_password: {drawn(12)}\n".encode()
    (secret,) = SecretSearch("conf.yaml").through(text, io.BytesIO()).secrets
    assert str(secret) == "what is named like a secret, with a value (db_password), in line 3 [assigned]"


def test_a_line_is_counted_over_all_pieces_of_a_large_file() -> None:
    text = b"all is well\n" * 50_000 + f"x = '{GITHUB}'\n".encode() + b"and so on\n" * 50_000
    stream = io.BytesIO(text)
    (secret,) = SecretSearch("large.log").through(stream.read(1 << 18), stream).secrets
    assert secret.line == 50_001


@pytest.mark.parametrize(
    "value",
    ["${DB_PASSWORD}", "{{ password }}", "<password>", "changeme", "your-password-here", "xxxxxxxx", "/run/secrets/db",
     "env:DB_PASSWORD",
     "os.environ['X']", "getpass()", "string", "None", "********", "%(password)s", "vault:secret/db#x"],
)  # fmt: skip
def test_what_stands_in_a_secret_s_place_is_none(value: str) -> None:
    assert not may_be_password(value)


@pytest.mark.parametrize(
    "value", ["hunter" + "2", "Tr4ub" + "dor&3", "p@ss" + "w0rd!", drawn(16), "correct1-horse-battery"]
)
def test_a_password_may_be_one(value: str) -> None:
    assert may_be_password(value)
    assert not is_placeholder(value)


def test_code_needs_more_to_be_believed_than_a_configuration() -> None:
    assert assigned("password", "hunter" + "2")
    assert assigned("password", "hunter" + "2", is_code=True) is None
    assert assigned("password", drawn(16), is_code=True)


@pytest.mark.parametrize(
    ("name", "value", "is_secret"),
    [("PGPASSWORD", "x", True), ("PGPASSFILE", "/x", False), ("TOKEN", "$OTHER", False), ("SECRET_KEY", "true", False)],
)
def test_a_variable_is_judged_by_its_name_and_its_value(name: str, value: str, *, is_secret: bool) -> None:
    assert bool(secret_of_variable(name, value)) is is_secret


@pytest.mark.parametrize(
    "command",
    [
        "curl -u $USER:$PASS https://x.example",
        "mysql -p < dump.sql",
        "docker run -p 8080:80 -u 1000:1000 x",
        "apt-get install -y openssl passwd",
        "server --token-file /run/token --password-stdin",
        "curl -fsSL https://x.example -o /usr/local/share/token.gpg",
    ],
)
def test_a_command_without_a_secret_has_none(command: str) -> None:
    assert secret_in_command(command) is None

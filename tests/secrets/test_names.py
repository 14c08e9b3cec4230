"""Names that say that a secret is meant, and names that say something about one."""

from __future__ import annotations

import pytest

from cannery.secrets.file_names import kind_by_name
from cannery.secrets.names import is_configuration, names_a_secret

pytestmark = pytest.mark.once


@pytest.mark.parametrize(
    "name",
    ["PASSWORD", "PGPASSWORD", "MYSQL_PWD", "dbPassword", "db.password", "API_KEY", "apiKey", "AWS_SECRET_ACCESS_KEY",
     "_authToken", "client-secret", "SECRET_KEY_BASE", "spring.datasource.password", "GitHubToken", "x-api-key"],
)  # fmt: skip
def test_a_name_says_that_it_holds_a_secret(name: str) -> None:
    assert names_a_secret(name)


@pytest.mark.parametrize(
    "name",
    ["PASSWORD_FILE", "token_url", "TOKENIZERS_PARALLELISM", "secret_name", "password_hasher", "compass", "bypass",
     "passport", "token_type", "GPG_KEY", "public_key", "api_key_header", "password_field", "tokenize"],
)  # fmt: skip
def test_a_name_says_something_else(name: str) -> None:
    assert not names_a_secret(name)


@pytest.mark.parametrize("path", ["a/.env", "prod.env", ".envrc", "x/.git/config", "id_rsa", "a.kubeconfig", ".my.cnf"])
def test_a_file_s_name_says_that_it_holds_secrets(path: str) -> None:
    assert kind_by_name(path)


@pytest.mark.parametrize("path", [".env.example", "sample.env", "env.py", "x.md", "gitignore", "a/id_rsa.pub"])
def test_a_file_s_name_says_nothing_of_secrets(path: str) -> None:
    assert kind_by_name(path) is None


def test_files_of_settings_are_told_from_code() -> None:
    assert all(map(is_configuration, ["a.yaml", "a.toml", ".bashrc", "Dockerfile", "config", "a.properties"]))
    assert not any(map(is_configuration, ["a.py", "a.js", "README.md", "a.html"]))

"""Credentials are found where Docker and Podman put them, and for their own registry alone."""

from __future__ import annotations

import base64
import json
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

from cannery.errors import ConfigurationError, ToolError
from cannery.image.registry.credentials import Credential, asking_once, credential_for
from cannery.image.registry.reference import Reference
from cannery.workspace.process import run

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    from cannery.workspace.process import Completed

pytestmark = pytest.mark.once

HELPER = """#!/bin/sh
read -r key
case "$key" in
  {key}) echo '{{"ServerURL": "'$key'", "Username": "{user}", "Secret": "{secret}"}}' ;;
  *) echo "credentials not found in native keychain"; exit 1 ;;
esac
"""


def auth(user: str, password: str) -> dict[str, str]:
    return {"auth": base64.b64encode(f"{user}:{password}".encode()).decode()}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    (tmp_path / ".docker").mkdir()
    (tmp_path / "bin").mkdir()
    monkeypatch.setenv("PATH", f"{tmp_path}/bin:/usr/bin:/bin")
    return tmp_path


def write(path: Path, document: Any) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(document if isinstance(document, str) else json.dumps(document))


def helper(home: Path, name: str, key: str, user: str, secret: str) -> None:
    path = home / "bin" / f"docker-credential-{name}"
    path.write_text(HELPER.format(key=key, user=user, secret=secret))
    path.chmod(0o755)


def find(home: Path, image: str, **environ: str) -> Credential | None:
    return credential_for(Reference.parse(image), {"HOME": str(home), **environ})


def told(credential: Credential | None) -> tuple[str, str, str] | None:
    return (credential.kind, credential.username, credential.secret) if credential else None


def test_nobody_is_logged_in_where_there_is_no_file(home: Path) -> None:
    assert find(home, "ghcr.io/a/b") is None


def test_a_password_in_auths_is_found(home: Path) -> None:
    write(home / ".docker/config.json", {"auths": {"ghcr.io": auth("me", "pass:word")}})
    assert told(find(home, "ghcr.io/a/b")) == ("password", "me", "pass:word")


@pytest.mark.parametrize("other", ["ghcr.io.example.org/a/b", "evil-ghcr.io/a/b", "ghcr.io:444/a/b", "a/b"])
def test_a_credential_is_for_its_own_host_alone(home: Path, other: str) -> None:
    write(home / ".docker/config.json", {"auths": {"ghcr.io": auth("me", "secret")}})
    assert find(home, other) is None


@pytest.mark.parametrize("key", ["https://index.docker.io/v1/", "index.docker.io", "docker.io"])
def test_docker_s_own_registry_has_an_old_name(home: Path, key: str) -> None:
    write(home / ".docker/config.json", {"auths": {key: auth("me", "secret")}})
    assert told(find(home, "python:3.11")) == ("password", "me", "secret")


@pytest.mark.parametrize("key", ["https://localhost:5000", "http://localhost:5000/v2/", "localhost:5000/"])
def test_a_registry_may_be_written_as_an_address(home: Path, key: str) -> None:
    write(home / ".docker/config.json", {"auths": {key: auth("me", "secret")}})
    assert told(find(home, "localhost:5000/b")) == ("password", "me", "secret")


def test_helpers_come_before_the_store_and_that_before_auths(home: Path) -> None:
    helper(home, "one", "ghcr.io", "helper", "1")
    helper(home, "two", "quay.io", "store", "2")
    entries = {name: auth("auths", "3") for name in ("ghcr.io", "quay.io", "gcr.io")}
    write(home / ".docker/config.json", {"auths": entries, "credsStore": "two", "credHelpers": {"ghcr.io": "one"}})
    found = [told(find(home, f"{name}/a/b")) for name in ("ghcr.io", "quay.io", "gcr.io")]
    assert found == [("password", "helper", "1"), ("password", "store", "2"), ("password", "auths", "3")]


def test_an_empty_entry_only_notes_that_the_store_has_more(home: Path) -> None:
    helper(home, "two", "quay.io", "store", "2")
    write(home / ".docker/config.json", {"auths": {"quay.io": {}, "gcr.io": {}}, "credsStore": "two"})
    assert told(find(home, "quay.io/a/b")) == ("password", "store", "2")
    assert find(home, "gcr.io/a/b") is None


def test_helpers_know_docker_s_own_registry_by_its_address(home: Path) -> None:
    helper(home, "one", "https://index.docker.io/v1/", "me", "1")
    write(home / ".docker/config.json", {"credsStore": "one"})
    assert told(find(home, "python")) == ("password", "me", "1")


def test_identity_tokens_are_told_apart(home: Path) -> None:
    helper(home, "one", "ghcr.io", "<token>", "1")
    entries = {"quay.io": {**auth("<token>", ""), "identitytoken": "2"}, "gcr.io": {"registrytoken": "3"}}
    write(home / ".docker/config.json", {"auths": entries, "credHelpers": {"ghcr.io": "one"}})
    found = [told(find(home, f"{name}/a/b")) for name in ("ghcr.io", "quay.io", "gcr.io")]
    assert found == [("identity token", "", "1"), ("identity token", "", "2"), ("registry token", "", "3")]


def test_a_helper_that_is_missing_is_an_error_and_a_store_that_is_missing_is_none(home: Path) -> None:
    write(home / ".docker/config.json", {"credsStore": "gone", "credHelpers": {"ghcr.io": "gone"}})
    assert find(home, "quay.io/a/b") is None
    with pytest.raises(ToolError, match="there is no program 'docker-credential-gone'"):
        find(home, "ghcr.io/a/b")


def test_a_helper_that_fails_is_an_error_with_its_own_words(home: Path) -> None:
    path = home / "bin" / "docker-credential-bad"
    path.write_text("#!/bin/sh\necho 'the keychain is locked' >&2\nexit 1\n")
    path.chmod(0o755)
    write(home / ".docker/config.json", {"credsStore": "bad"})
    with pytest.raises(ToolError) as raised:
        find(home, "ghcr.io/a/b")
    assert "the keychain is locked" in str(raised.value)


def test_a_helper_is_asked_once_for_all_who_push_at_once(home: Path) -> None:
    helper(home, "one", "ghcr.io", "me", "secret")
    write(home / ".docker/config.json", {"credHelpers": {"ghcr.io": "one", "other.example": "one"}})
    asked: list[str] = []

    def counted(command: Sequence[str], **more: Any) -> Completed:
        asked.append(f"{command[0]} {more['stdin']}")
        return run(command, **more)

    once = asking_once(counted)
    environ = {"HOME": str(home)}
    with ThreadPoolExecutor(8) as pool:
        names = ["ghcr.io/a/b", "ghcr.io/c/d", "other.example/e"] * 20
        found = list(pool.map(lambda name: credential_for(Reference.parse(name), environ, once), names))
    assert sorted(asked) == ["docker-credential-one ghcr.io", "docker-credential-one other.example"]
    assert [told(each) for each in found[:3]] == [("password", "me", "secret")] * 2 + [None]


def test_docker_config_names_the_folder(home: Path, tmp_path: Path) -> None:
    write(home / ".docker/config.json", {"auths": {"ghcr.io": auth("home", "1")}})
    write(tmp_path / "other/config.json", {"auths": {"ghcr.io": auth("other", "2")}})
    assert told(find(home, "ghcr.io/a/b", DOCKER_CONFIG=str(tmp_path / "other"))) == ("password", "other", "2")


@pytest.mark.parametrize("variable", ["REGISTRY_AUTH_FILE", "XDG_RUNTIME_DIR", "XDG_CONFIG_HOME", ""])
def test_podman_s_file_is_read_wherever_it_is(home: Path, tmp_path: Path, variable: str) -> None:
    folder = tmp_path / "podman"
    file = folder / "auth.json" if variable == "REGISTRY_AUTH_FILE" else folder / "containers/auth.json"
    write(file if variable else home / ".config/containers/auth.json", {"auths": {"quay.io": auth("me", "1")}})
    value = file if variable == "REGISTRY_AUTH_FILE" else folder
    assert told(find(home, "quay.io/a/b", **({variable: str(value)} if variable else {}))) == ("password", "me", "1")


def test_podman_s_file_may_have_one_for_each_repository(home: Path) -> None:
    entries = {"quay.io": auth("any", "1"), "quay.io/team": auth("team", "2"), "quay.io/team/base": auth("base", "3")}
    write(home / ".config/containers/auth.json", {"auths": entries})
    images = ("quay.io/other/x", "quay.io/team/x", "quay.io/team/base", "quay.io/teams/x")
    assert [getattr(find(home, image), "username", None) for image in images] == ["any", "team", "base", "any"]


@pytest.mark.parametrize("text", ["{", '{"auths": {"ghcr.io": {"auth": "é"}}}'])
def test_a_file_that_can_t_be_read_is_an_error_that_names_it(home: Path, text: str) -> None:
    write(home / ".docker/config.json", text)
    with pytest.raises(ConfigurationError, match=r"\.docker/config\.json"):
        find(home, "ghcr.io/a/b")


@pytest.mark.parametrize("name", ["identitytoken", "registrytoken", "username", "password"])
@pytest.mark.parametrize("value", [5, ["x"], {"y": "z"}])
def test_a_credential_that_is_no_text_is_an_error_that_names_its_file(home: Path, name: str, value: object) -> None:
    write(home / ".docker/config.json", {"auths": {"r.example": {name: value}}})
    with pytest.raises(ConfigurationError, match=r"config\.json is no text"):
        find(home, "r.example/x")


@pytest.mark.parametrize("text", ["", "[]", '{"auths": []}', '{"auths": {"ghcr.io": "x"}}'])
def test_a_file_that_says_nothing_is_none(home: Path, text: str) -> None:
    write(home / ".docker/config.json", text)
    assert find(home, "ghcr.io/a/b") is None


def test_a_secret_is_not_shown() -> None:
    assert "sesame" not in repr(Credential("sesame", "file", "me"))

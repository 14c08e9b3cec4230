"""Registries as they are: they challenge, hand out tokens that end, redirect, refuse and fail."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from cannery.errors import RegistryError
from cannery.image.hashing import pieces
from cannery.image.registry.client import Repository
from cannery.image.registry.connection import place
from cannery.image.registry.credentials import Credential
from cannery.image.registry.reference import Reference
from tests.support.fake_registry import as_json, running

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.support.fake_registry import Answer, Fake, Request

pytestmark = pytest.mark.once

ME = Credential("sesame", "a file", "me")
BASIC = "Basic bWU6c2VzYW1l"


@pytest.fixture
def fake() -> Iterator[Fake]:
    with running() as server:
        yield server


Connect = Callable[..., Repository]


@pytest.fixture
def connect() -> Iterator[Connect]:
    """Opens the repository ``team/base``, closed at the end of the test."""
    with ExitStack() as stack:
        yield lambda fake, credential=None: stack.enter_context(
            Repository(Reference.parse(f"{fake.address}/team/base:1"), credential)
        )


def bearer(fake: Fake, **more: str) -> dict[str, str]:
    parameters = {
        "realm": f"http://{fake.address}/token",
        "service": "fake",
        "scope": "repository:team/base:pull",
        **more,
    }
    return {"WWW-Authenticate": "Bearer " + ",".join(f'{name}="{value}"' for name, value in parameters.items())}


def with_tokens(fake: Fake, *, good_for: int = 100) -> None:
    """Challenge, and hand out tokens that hold for so many requests."""
    used: dict[str, int] = {}

    def answer(request: Request) -> Answer:
        if request.path == "/token":
            token = f"token-{len(fake.asked('/token'))}"
            used[token] = 0
            return as_json({"token": token})
        token = request.headers.get("Authorization", "").removeprefix("Bearer ")
        if token not in used or used[token] >= good_for:
            return 401, bearer(fake), b""
        used[token] += 1
        return 200, {}, b"{}"

    fake.answer = answer


def test_an_anonymous_pull_fetches_a_token_for_its_scope(connect: Connect, fake: Fake) -> None:
    with_tokens(fake)
    assert connect(fake).manifest("1") == b"{}"
    (asked,) = fake.asked("/token")
    assert asked.query == {"service": "fake", "scope": "repository:team/base:pull"}
    assert "Authorization" not in asked.headers


def test_a_token_is_used_until_it_ends_and_then_another_one_is_fetched(connect: Connect, fake: Fake) -> None:
    with_tokens(fake, good_for=2)
    client = connect(fake)
    assert [client.manifest("1") for _ in range(5)] == [b"{}"] * 5
    assert len(fake.asked("/token")) == 3


def test_a_password_goes_to_where_tokens_are_made_and_not_to_the_registry(connect: Connect, fake: Fake) -> None:
    with_tokens(fake)
    connect(fake, ME).manifest("1")
    assert [each.headers["Authorization"] for each in fake.asked("/token")] == [BASIC]
    assert [each.headers.get("Authorization") for each in fake.asked("/v2")] == [None, "Bearer token-1"]


def test_an_identity_token_is_changed_for_one_that_ends(connect: Connect, fake: Fake) -> None:
    with_tokens(fake)
    connect(fake, Credential("refresh", "a file", kind="identity token")).manifest("1")
    (asked,) = fake.asked("/token")
    assert asked.method == "POST"
    assert "grant_type=refresh_token" in asked.body
    assert "refresh_token=refresh" in asked.body


def test_a_registry_token_is_taken_as_it_is(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {}, b"{}")
    connect(fake, Credential("mine", "a file", kind="registry token")).manifest("1")
    assert fake.requests[0].headers["Authorization"] == "Bearer mine"


def test_a_basic_challenge_is_answered_with_the_password(connect: Connect, fake: Fake) -> None:
    challenge = {"WWW-Authenticate": 'Basic realm="Registry Realm"'}
    fake.answer = lambda asked: (200 if asked.headers.get("Authorization") == BASIC else 401, challenge, b"{}")
    assert connect(fake, ME).manifest("1") == b"{}"


@pytest.mark.parametrize("credential", [None, ME])
def test_a_refusal_says_who_one_was_and_how_to_log_in(
    connect: Connect, fake: Fake, credential: Credential | None
) -> None:
    errors = {"errors": [{"code": "DENIED", "message": "not yours"}]}
    fake.answer = lambda _: as_json(errors, 403)
    with pytest.raises(RegistryError, match="refuses to hand out team/base") as raised:
        connect(fake, credential).manifest("1")
    assert "403 DENIED: not yours" in raised.value.evidence
    assert ("logged in by a file" if credential else "nobody is logged in") in raised.value.evidence
    assert f"docker login {fake.address}" in raised.value.step
    assert "sesame" not in str(raised.value)


def test_a_password_that_is_wrong_is_told(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda asked: (401, {} if asked.path == "/token" else bearer(fake), b"")
    with pytest.raises(RegistryError, match="refuses to log in") as raised:
        connect(fake, ME).manifest("1")
    assert "logged in by a file" in raised.value.evidence


def test_a_challenge_that_leads_to_plain_http_elsewhere_gets_nothing(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (401, bearer(fake, realm="http://registry.example.org/token"), b"")
    with pytest.raises(RegistryError, match="wants to be logged in to at") as raised:
        connect(fake, ME).manifest("1")
    assert "in the clear" in raised.value.evidence


def test_a_redirect_to_another_host_gets_no_credential(connect: Connect, fake: Fake) -> None:
    with running() as elsewhere:
        elsewhere.answer = lambda _: (200, {}, b"the blob")
        location = {"Location": f"http://localhost:{elsewhere.address.rpartition(':')[2]}/blob"}
        challenge = {"WWW-Authenticate": "Basic"}
        challenge["WWW-Authenticate"] = 'Basic realm="x"'
        fake.answer = lambda asked: (307, location, b"") if "Authorization" in asked.headers else (401, challenge, b"")
        with connect(fake, ME).blob("sha256:" + "0" * 64) as stream:
            assert stream.read() == b"the blob"
    assert "Authorization" not in elsewhere.requests[0].headers


def test_another_host_s_challenge_gets_nothing(connect: Connect, fake: Fake) -> None:
    with running() as elsewhere:
        elsewhere.answer = lambda asked: (200, {}, b"{}") if asked.path == "/token" else (401, bearer(elsewhere), b"")
        location = {"Location": f"http://localhost:{elsewhere.address.rpartition(':')[2]}/blob"}
        fake.answer = lambda _: (307, location, b"")
        with pytest.raises(RegistryError, match="refuses to hand out"), connect(fake, ME).blob("sha256:" + "0" * 64):
            pass
        assert elsewhere.asked("/token") == []
        assert not any("Authorization" in each.headers for each in elsewhere.requests)


@pytest.mark.parametrize("credential", [ME, Credential("refresh", "a file", kind="identity token")])
def test_where_tokens_are_made_leads_nowhere_else(connect: Connect, fake: Fake, credential: Credential) -> None:
    with running() as elsewhere:
        moved = {"Location": f"http://{elsewhere.address}/token"}
        fake.answer = lambda asked: (307, moved, b"") if asked.path == "/token" else (401, bearer(fake), b"")
        with pytest.raises(RegistryError, match="refuses to log in"):
            connect(fake, credential).manifest("1")
        assert elsewhere.requests == []


@pytest.mark.parametrize(
    "realm", ["http://127.0.0.1:80@example.org/token", "https://me@example.org/token", "ftp://x/y"]
)
def test_a_realm_is_judged_by_the_parts_of_its_address(connect: Connect, fake: Fake, realm: str) -> None:
    fake.answer = lambda _: (401, bearer(fake, realm=realm), b"")
    with pytest.raises(RegistryError, match="wants to be logged in to at"):
        connect(fake, ME).manifest("1")


@pytest.mark.parametrize("user", ["localhost:x", "[::1]", "127.0.0.1"])
def test_an_upload_that_is_led_elsewhere_without_tls_is_not_sent(connect: Connect, fake: Fake, user: str) -> None:
    with running() as elsewhere:
        location = {"Location": f"http://{user}@{elsewhere.address}/upload"}
        fake.answer = lambda _: (307, location, b"")
        client = connect(fake)
        with pytest.raises(RegistryError, match="without TLS"), client.asked("POST", "blobs/", body=lambda: b"layer"):
            pass
        assert elsewhere.requests == []


def test_what_stays_on_this_machine_goes_through_no_proxy(
    connect: Connect, fake: Fake, monkeypatch: pytest.MonkeyPatch
) -> None:
    with running() as proxy:
        for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
            monkeypatch.setenv(name, f"http://{proxy.address}")
        for name in ("no_proxy", "NO_PROXY"):
            monkeypatch.delenv(name, raising=False)
        with_tokens(fake)
        assert connect(fake, ME).manifest("1")
        assert proxy.requests == []
    assert len(fake.asked("/token")) == 1


@pytest.mark.parametrize("token", ["se\ncret", "se cret", "secr\u20act", " secret"])
def test_a_token_that_can_t_be_sent_is_told_and_not_shown(connect: Connect, fake: Fake, token: str) -> None:
    with pytest.raises(RegistryError, match="the token that a file has is none") as raised:
        connect(fake, Credential(token, "a file", kind="registry token")).manifest("1")
    assert token not in str(raised.value)
    fake.answer = lambda asked: as_json({"token": token}) if asked.path == "/token" else (401, bearer(fake), b"")
    with pytest.raises(RegistryError, match="gives for a token is none") as raised:
        connect(fake, ME).manifest("1")
    assert token not in str(raised.value)


@pytest.mark.parametrize(
    ("own", "other", "same"),
    [
        ("https://r.example/v2", "https://r.example:443/x", True),
        ("https://r.example/v2", "https://R.EXAMPLE/x", True),
        ("http://localhost/v2", "http://localhost:80/x", True),
        ("https://r.example/v2", "https://r.example:8443/x", False),
        ("https://r.example/v2", "http://r.example:443/x", False),
        ("https://r.example/v2", "https://r%2eexample/x", False),
        ("https://r.example/v2", "https://r.example./x", False),
        ("https://r.example/v2", "https://r.example@evil.example/x", False),
        ("https://r.example/v2", "https://r.example\\@evil.example/x", False),
    ],
)
def test_a_host_is_the_registry_s_own_by_its_parts(own: str, other: str, *, same: bool) -> None:
    assert (place(own) == place(other)) is same


@pytest.mark.parametrize("body", [b"x" * (8 << 20), b"[" * 100_000, b'{"errors": ' + b"[" * 90_000])
@pytest.mark.parametrize("path", ["/token", "/v2"])
def test_an_answer_of_any_size_and_depth_is_one_message(connect: Connect, fake: Fake, path: str, body: bytes) -> None:
    challenged = path == "/token"
    fake.answer = lambda asked: (
        (404, {}, body) if asked.path.startswith(path) else (401, bearer(fake), b"") if challenged else (404, {}, body)
    )
    with pytest.raises(RegistryError) as raised:
        connect(fake, ME).manifest("1")
    assert len(str(raised.value)) < 1000


@pytest.mark.parametrize("status", [408, 429, 499, 500, 502, 503, 504, 522])
def test_what_passes_is_tried_again(connect: Connect, fake: Fake, status: int) -> None:
    fake.answer = lambda _: (status, {"Retry-After": "0"}, b"") if len(fake.requests) < 3 else (200, {}, b"{}")
    assert connect(fake).manifest("1") == b"{}"


def test_too_many_requests_for_good_is_an_error(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (429, {"Retry-After": "0"}, b"")
    with pytest.raises(RegistryError, match="does not hand out") as raised:
        connect(fake).manifest("1")
    assert raised.value.step.startswith("wait, or log in")


def test_what_is_not_there_is_told(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: as_json({"errors": [{"code": "MANIFEST_UNKNOWN", "message": "manifest unknown"}]}, 404)
    with pytest.raises(RegistryError, match=r"there is no image .*/team/base:1") as raised:
        connect(fake).manifest("1")
    assert "MANIFEST_UNKNOWN" in raised.value.evidence


def test_a_registry_that_is_down_is_told_at_once(connect: Connect) -> None:
    with running() as gone:
        pass
    with pytest.raises(RegistryError, match="can't be reached") as raised:
        connect(gone).manifest("1")
    assert "Connection refused" in raised.value.evidence


def test_a_blob_that_breaks_off_is_an_error(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {"Content-Length": "1000"}, b"cut")
    with pytest.raises(RegistryError), connect(fake).blob("sha256:" + "0" * 64) as stream:
        assert [*pieces(stream)]


def test_a_manifest_that_breaks_off_is_an_error(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {"Content-Length": "1000"}, b"cut")
    with pytest.raises(RegistryError, match="can't be reached"):
        connect(fake).manifest("1")


def test_a_manifest_without_end_is_refused(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {}, bytes(5 << 20))
    with pytest.raises(RegistryError, match="is too large"):
        connect(fake).manifest("1")


def test_the_digest_of_a_tag_is_asked_without_its_manifest(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {"Docker-Content-Digest": "sha256:1"}, b"")
    assert connect(fake).digest() == "sha256:1"
    assert [each.method for each in fake.requests] == ["HEAD"]


def test_cookies_are_not_sent_back(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {"Set-Cookie": "browser=yes"}, b"{}")
    client = connect(fake)
    assert [client.manifest("1") for _ in range(2)] == [b"{}"] * 2
    assert all("Cookie" not in request.headers for request in fake.requests)


def test_a_password_in_netrc_is_nobody_s(
    connect: Connect, fake: Fake, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "netrc").write_text("machine 127.0.0.1 login somebody password secret\n")
    monkeypatch.setenv("NETRC", str(tmp_path / "netrc"))
    with_tokens(fake)
    connect(fake, ME).manifest("1")
    assert [each.headers.get("Authorization") for each in fake.requests] == [None, BASIC, "Bearer token-1"]


def test_what_is_asked_for_is_where_the_specification_puts_it(connect: Connect, fake: Fake) -> None:
    fake.answer = lambda _: (200, {}, b"{}")
    client, digest = connect(fake), "sha256:" + "0" * 64
    client.manifest(digest)
    with client.blob(digest) as stream:
        stream.read()
    assert [each.path for each in fake.requests] == [
        f"/v2/team/base/manifests/{digest}",
        f"/v2/team/base/blobs/{digest}",
    ]
    assert "application/vnd.oci.image.index.v1+json" in fake.requests[0].headers["Accept"]

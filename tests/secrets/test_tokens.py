"""Tokens of services: every form, in texts and in programs; checksums tell those that were issued."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from cannery.secrets.checksums import (
    ends_in_base62_crc32,
    ends_in_hex_crc32,
    is_bech32,
    is_jwt,
)
from cannery.secrets.sieve import SHORTEST, sift
from cannery.secrets.tokens import TOKENS, tokens_in
from tests.support.made_up_tokens import AGE, GITHUB, JWT, grafana_token, issued_token
from tests.support.made_up_tokens import TOKENS as EXAMPLES

if TYPE_CHECKING:
    from cannery.secrets.issued_token import IssuedToken

pytestmark = pytest.mark.once

ALIASES = {"stripe-restricted": "stripe", "vault-batch": "vault", "openai-project": "openai"}


def kinds(text: bytes, *, joined: bool = False, noise: bool = False) -> set[str]:
    return {secret.kind.id for secret, _ in tokens_in(sift(text), joined=joined, noise=noise)}


@pytest.mark.parametrize("name", EXAMPLES)
def test_a_token_is_known_in_a_text(name: str) -> None:
    assert ALIASES.get(name, name) in kinds(f'"{EXAMPLES[name]}",\n'.encode())


@pytest.mark.parametrize("before", ["", "=", '"', "\\n", "https://", "token:", "("])
@pytest.mark.parametrize("behind", ["", '"', "\n", "\\n", "@github.com", ")", ","])
def test_a_token_is_known_whatever_stands_beside_it(before: str, behind: str) -> None:
    assert kinds(f"{before}{GITHUB}{behind}".encode()) == {"github-token"}


def test_a_token_among_the_joined_texts_of_a_program_is_known() -> None:
    data = f"some text{GITHUB}and another".encode()
    assert kinds(data) == set()
    assert kinds(data, joined=True, noise=True) == {"github-token"}


def test_a_short_form_is_not_looked_for_in_machine_code() -> None:
    data = EXAMPLES["aws-access-key"].encode()
    assert kinds(data, joined=True) == {"aws-access-key"}
    assert kinds(data, joined=True, noise=True) == set()


@pytest.mark.parametrize("token", TOKENS, ids=lambda token: token.id)
@settings(max_examples=5, deadline=None, suppress_health_check=list(HealthCheck))
@given(data=st.data())
def test_all_of_a_form_have_one_of_its_anchors_and_are_long_enough(token: IssuedToken, data: st.DataObject) -> None:
    text = data.draw(st.from_regex(re.compile(token.pattern), fullmatch=True))
    assert any(anchor in text for anchor in token.anchors.split())
    assert len(text) >= SHORTEST
    assert text.rstrip(b"\n") in sift(text)


def test_every_kind_has_a_name_of_its_own_as_settings_write_it() -> None:
    names = [token.id for token in TOKENS]
    assert len(names) == len(set(names))
    assert all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", name) for name in names)


@pytest.mark.parametrize(
    ("is_right", "token"),
    [
        (ends_in_base62_crc32, GITHUB),
        (ends_in_base62_crc32, issued_token("npm" + "_", seed=3)),
        (ends_in_hex_crc32, grafana_token()),
        (is_bech32, AGE),
        (is_jwt, JWT),
    ],
    ids=["GitHub", "npm", "Grafana", "age", "JWT"],
)
def test_a_checksum_tells_a_token_from_one_with_another_letter(is_right: object, token: str) -> None:
    assert callable(is_right)
    assert is_right(token.encode())
    place = 8 if is_right is is_jwt else -3
    changed = token.encode()[:place] + (b"5" if token[place] != "5" else b"6") + token.encode()[place:][1:]
    assert not is_right(changed)


def test_the_sieve_keeps_runs_that_are_long_enough_and_nothing_else() -> None:
    assert sift(b"short " + b"x" * SHORTEST + b" \0\xff" + b"y" * (SHORTEST - 1) + b"\n" + b"z" * 50) == (
        b"x" * SHORTEST + b"\n" + b"z" * 50
    )
    assert sift(b"") == b""

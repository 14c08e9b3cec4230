"""Peers by their names."""

from __future__ import annotations

import pytest

from cannery.comparison.peers.table import PEERS, peers_named
from cannery.errors import ConfigurationError

pytestmark = pytest.mark.once


def test_all_are_all_and_each_is_there_once() -> None:
    assert peers_named(["shiv", "all"]) == tuple(sorted(PEERS, key=lambda peer: peer.name != "shiv"))


def test_an_unknown_name_is_refused_with_those_that_there_are() -> None:
    with pytest.raises(ConfigurationError, match="there is no peer 'pexx' to compare with") as refused:
        peers_named(["pexx"])
    assert refused.value.step == "peers are: all, pex, shiv, pyinstaller, staticx"

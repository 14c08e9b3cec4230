"""The peers by name."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from cannery.comparison.peers.frozen import pyinstaller, staticx
from cannery.comparison.peers.peer import Peer
from cannery.comparison.peers.zipapps import pex, shiv
from cannery.errors import ConfigurationError, did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["PEERS", "peers_named"]

PEERS: Final = (
    Peer("pex", "pex", needs_python=True, pack=pex),
    Peer("shiv", "shiv", needs_python=True, pack=shiv),
    Peer("pyinstaller", "pyinstaller", needs_python=False, pack=pyinstaller),
    Peer("staticx", "staticx", needs_python=False, pack=staticx),
)


def peers_named(names: Iterable[str]) -> tuple[Peer, ...]:
    """The peers called ``names``, or all of them for ``all``; raises :class:`ConfigurationError` for no peer's name."""
    known = {peer.name: peer for peer in PEERS}
    wanted = [name for given in names for name in (known if given == "all" else (given,))]
    for name in wanted:
        if name not in known:
            raise ConfigurationError(
                f"there is no peer {name!r} to compare with",
                evidence=did_you_mean(name, known),
                step=f"peers are: all, {', '.join(known)}",
            )
    return tuple(known[name] for name in dict.fromkeys(wanted))

"""Other tools that pack a program of Python, each in the shape of a :class:`~cannery.comparison.peers.peer.Peer`."""

"""Has keys that keep their hashes."""


class Early:
    """As they are made."""

    def __init__(self, name: str) -> None:
        self.kept = hash(name)

    def __hash__(self) -> int:
        return self.kept


KEYS = {Early("early"): 1}

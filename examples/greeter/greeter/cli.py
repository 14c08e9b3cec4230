"""The commands: each public method is one, and its docstring is its help."""

from __future__ import annotations

import fire

__all__ = ["Greeter", "main"]


class Greeter:
    """Greet people."""

    def hello(self, name: str = "world", *, loud: bool = False) -> str:
        """Greet somebody by name; loudly, if wanted."""
        greeting = f"Hello, {name}!"
        return greeting.upper() if loud else greeting

    def count(self, *names: str) -> dict[str, int]:
        """Say how many letters each name has."""
        return {str(name): len(str(name)) for name in names}


def main() -> None:
    """Run the command that the command line names."""
    fire.Fire(Greeter, name="greeter")

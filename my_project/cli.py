"""A command line of two functions, made by python-fire."""

from __future__ import annotations

import fire


def show_deps() -> None:
    """Print the version of polars, as it is loaded."""
    import polars as pl  # noqa: PLC0415  # say-hello starts without it

    print(f"polars {pl.__version__}")


def say_hello(name: str = "world") -> None:
    """Greet somebody.

    Args:
        name: Whom to greet.
    """
    print(f"Hello, {name}!")


def main() -> None:
    """Run the command that the arguments name."""
    fire.Fire({"show_deps": show_deps, "say_hello": say_hello})

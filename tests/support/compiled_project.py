"""A project with a script, a package and resources, which says what it found of them."""

from __future__ import annotations

__all__ = ["PROJECT", "SAID"]

PROJECT = {
    "pyproject.toml": '[tool.cannery]\nentry = "main.py"\nresources = ["words"]\n',
    "main.py": """
        import multiprocessing
        from pathlib import Path

        from pkg import core

        def work(number):
            return core.add(number, 1)

        def main():
            words = Path(__file__).with_name("words").joinpath("hello.txt").read_text()
            with multiprocessing.get_context("spawn").Pool(2) as pool:
                print(words, pool.map(work, [1, 2]), core.read())

        if __name__ == "__main__":
            main()
    """,
    "pkg/__init__.py": "",
    "pkg/core.py": """
        from importlib.resources import files

        def add(one, other):
            return one + other

        def read():
            return (files("pkg") / "data.txt").read_text()
    """,
    "pkg/data.txt": "data",
    "words/hello.txt": "hello",
}
SAID = "hello [2, 3] data\n"

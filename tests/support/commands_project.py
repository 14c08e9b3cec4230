"""A project with several commands, and what each of them says when it's given the argument ``more``."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["COMMANDS", "SAID"]

COMMANDS: dict[str, str] = {
    "pyproject.toml": """
        [tool.cannery]
        entry = "main.py"

        [tool.cannery.commands]
        migrate = "manage.py migrate"
        work = "python -m shop.work --port $PORT"
        report = "LEVEL=${LEVEL:-2} shop.report:run"
        odd = "bin/odd-tool.py x"
        """,
    "main.py": "import sys\n\nprint('main', sys.argv[1:])\n",
    "manage.py": """
        import sys


        def main():
            import wave

            print(wave.__name__, __name__, sys.argv[1:])


        if __name__ == "__main__":
            main()
        """,
    "bin/odd-tool.py": "import colorsys, sys\n\nprint(colorsys.__name__, __name__, sys.argv[1:])\n",
    "shop/__init__.py": "",
    "shop/work.py": """
        import sys

        if __name__ == "__main__":
            from fileinput import FileInput

            print(FileInput.__name__, __name__, sys.argv[1:])
        """,
    "shop/report.py": """
        import os
        import sys


        def run():
            print(os.environ["LEVEL"], sys.argv[1:])
            return 3
        """,
}
SAID: Mapping[str | None, tuple[int, str]] = {
    None: (0, "main ['more']\n"),
    "migrate": (0, "wave __main__ ['migrate', 'more']\n"),
    "work": (0, "FileInput __main__ ['--port', '8000', 'more']\n"),
    "report": (3, "2 ['more']\n"),
    "odd": (0, "colorsys __main__ ['x', 'more']\n"),
}

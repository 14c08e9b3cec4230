"""What a linter says of a Dockerfile, and projects with settings that show in one."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

__all__ = ["PROJECTS", "lint"]

PROJECTS: dict[str, dict[str, str]] = {
    "a script": {"main.py": "print()\n"},
    "every setting": {
        "main.py": "import zoneinfo\n",
        "requirements.txt": "iniconfig\n",
        "data/a b.txt": "",
        "pyproject.toml": """
            [project]
            name = "odd"
            version = "1"
            description = "with \\"quotes\\" and a $variable"
            [tool.cannery]
            entry = "main.py"
            resources = ["data"]
            libraries = ["libuuid.so.1"]
            optimize = 1
            volumes = ["/data"]
            stop-signal = "SIGINT"
        """,
    },
    "a package with a lock": {
        "pkg/__init__.py": "",
        "pkg/__main__.py": "",
        "uv.lock": "",
        "pyproject.toml": """
            [project]
            name = "pkg"
            version = "1"
        """,
    },
    "compiled, and not locked": {
        "main.py": "",
        "pyproject.toml": """
            [project]
            name = "a"
            version = "1"
            dependencies = ["iniconfig"]
            [tool.cannery]
            compile = true
        """,
    },
}


def lint(text: str) -> str:
    hadolint = Path(sys.executable).with_name("hadolint")
    done = subprocess.run([hadolint, "--no-color", "-"], input=text, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr

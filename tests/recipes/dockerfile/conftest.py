"""A project that is built from its Dockerfile and by cannery itself, and a Docker engine of the tests' own."""

from __future__ import annotations

import json
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING, Any

import pytest

from cannery.workspace.process import find_uv, run

if TYPE_CHECKING:
    from pathlib import Path

PROJECT = {
    "pyproject.toml": """
        [project]
        name = "shower"
        version = "1.2"
        requires-python = ">=3.11"
        dependencies = ["markupsafe", "iniconfig"]

        [project.scripts]
        shower = "shower.cli:main"

        [tool.cannery]
        resources = ["data"]
        exclude = ["*.md"]
        args = ["by", "default"]
        env = { GREETING = "a $HOME and \\"quotes\\"" }
        ports = ["8000", "53/udp"]
        build-options = ["--network=host"]
    """,
    "src/shower/__init__.py": "",
    "src/shower/__main__.py": "from shower.cli import main\n\nmain()\n",
    "src/shower/notes.md": "not for the image\n",
    "src/shower/words.txt": "of the package\n",
    "src/shower/cli.py": """
        import importlib.metadata
        import importlib.resources
        import json
        import os
        import ssl
        import sqlite3
        import sys
        import tempfile
        from pathlib import Path

        import iniconfig
        import markupsafe


        def main() -> None:
            with tempfile.TemporaryFile() as file:
                file.write(b"there is a place for temporary files")
            print(
                json.dumps(
                    {
                        "arguments": sys.argv[1:],
                        "user": [os.getuid(), os.getgid()],
                        "home": os.path.expanduser("~"),
                        "folder": os.getcwd(),
                        "greeting": os.environ["GREETING"],
                        "version": importlib.metadata.version("shower"),
                        "dependency": importlib.metadata.version("iniconfig"),
                        "escaped": markupsafe.escape("<&>"),
                        "words": importlib.resources.files("shower").joinpath("words.txt").read_text(),
                        "resource": next(
                            (folder / "data" / "table.txt").read_text()
                            for folder in Path(__file__).parents
                            if (folder / "data").is_dir()
                        ),
                        "certificates": len(ssl.create_default_context().get_ca_certs()) > 9,
                        "database": sqlite3.connect(":memory:").execute("select 6 * 7").fetchone(),
                    }
                )
            )
    """,
    "data/table.txt": "a table\n",
    ".env": "SECRET=1\n",
}


@pytest.fixture(scope="session")
def shower(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A project with a console script, native and pure dependencies, package data and a resource."""
    folder = tmp_path_factory.mktemp("shower")
    for name, text in PROJECT.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text))
    options = ["--quiet", "--generate-hashes", "--no-header", "--output-file=requirements.txt"]
    run([find_uv(), "pip", "compile", *options, "pyproject.toml"], cwd=folder)
    return folder


def cannery(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "cannery", *arguments]
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, check=False, stdin=subprocess.DEVNULL)


def built(*arguments: str, cwd: Path) -> dict[str, Any]:
    done = cannery("image", "--json", *arguments, cwd=cwd)
    assert done.returncode == 0, done.stderr
    report: dict[str, Any] = json.loads(done.stdout)
    return report

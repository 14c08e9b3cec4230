"""A project as people have it, with no settings: its image does what it does in its folder."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:
    from tests.conftest import MakeProject

pytestmark = [pytest.mark.once, pytest.mark.slow]

MAIN = """
    import curses
    import runpy
    import socket
    import subprocess
    import sys
    from importlib import import_module
    from pathlib import Path

    import package
    from tasks import task

    HERE = Path(__file__).parent
    print(import_module("plugins.one").NAME, package.SETTINGS, task())
    print((HERE / "data" / "words.txt").read_text(), open("data/words.txt").read(), *map(str, Path("inbox").iterdir()))
    print(runpy.run_path(str(HERE / "config.py"))["VALUE"])
    print(subprocess.run([sys.executable, "worker.py"], capture_output=True, text=True).stdout)
    print(socket.getservbyname("https"), socket.getprotobyname("tcp"), socket.getaddrinfo("127.0.0.1", "http")[0][-1])
    curses.setupterm("xterm")
    print(curses.tigetnum("colors"))
"""
FILES = {
    "main.py": MAIN,
    "plugins/one.py": "NAME = 'one'",
    "package/__init__.py": "from pathlib import Path\nSETTINGS = {}\n"
    "exec((Path(__file__).parent / 'settings.py').read_text(), SETTINGS)\ndel SETTINGS['__builtins__']\n",
    "package/settings.py": "DEPTH = 3",
    "tasks.py": "def task():\n    return 'done'\n",
    "config.py": "VALUE = 42",
    "worker.py": "print('working')",
    "data/words.txt": "words",
    "tests/test_main.py": "import nothing_that_there_is",
    "noxfile.py": "import nox",
}


@pytest.mark.parametrize("recipe", ["scratch", "tiny"])
def test_the_image_does_what_the_project_does(make_project: MakeProject, recipe: str) -> None:
    if not any(Path(folder, "x/xterm").exists() for folder in ("/lib/terminfo", "/usr/share/terminfo")):
        pytest.skip("this machine has no descriptions of terminals")
    folder = make_project(FILES)
    (folder / "inbox").mkdir()
    here = subprocess.run([sys.executable, "main.py"], cwd=folder, capture_output=True, text=True, check=False)
    assert here.returncode == 0, here.stderr
    command = [sys.executable, "-m", "cannery", "run", "--recipe", recipe]
    made = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False, env=dict(os.environ))
    assert made.returncode == 0, made.stderr
    assert made.stdout == here.stdout

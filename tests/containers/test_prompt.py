"""The prompt in a container, which may have little more than Python itself."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

import cannery

pytestmark = pytest.mark.once

PROMPT = Path(cannery.__file__).parent / "containers/payload/prompt.py"
BARE = "import sys\nsys.modules.update(dict.fromkeys(('code', 'fnmatch', 'pathlib', 're', 'shlex', 'subprocess')))\n"


def piped(lines: str, *, bare: bool = False) -> subprocess.CompletedProcess[str]:
    """What the prompt does with ``lines``, by a Python without modules that an image may lack."""
    text = PROMPT.read_text(encoding="utf-8")
    command = [sys.executable, "-I", "-S", "-c", text.replace("import os\n", f"{BARE}import os\n", 1) if bare else text]
    return subprocess.run(command, input=lines, capture_output=True, text=True, check=False)


@pytest.mark.parametrize("bare", [False, True])
def test_folders_are_listed_files_shown_and_found(tmp_path: Path, *, bare: bool) -> None:
    (tmp_path / "folder").mkdir()
    (tmp_path / "folder/words.txt").write_text("hello\n")
    (tmp_path / "folder/link").symlink_to("words.txt")
    folder = str(tmp_path / "folder")
    lines = f"ls({folder!r})\ncat({folder + '/words.txt'!r})\nfind('w*s.t*', {str(tmp_path)!r})\n"
    done = piped(lines, bare=bare)
    assert done.stderr == ""
    link, words, text, found = done.stdout.splitlines()
    assert link.endswith("link -> words.txt")
    assert words.startswith("-rw")
    assert text == "hello"
    assert found == f"{folder}/words.txt"


def test_programs_are_run_and_processes_listed() -> None:
    done = piped(f"print(run('{sys.executable} -c \"raise SystemExit(3)\"'))\nps()\n")
    assert done.returncode == 0, done.stderr
    code, *processes = done.stdout.splitlines()
    assert code == "3"
    assert any(" MB  " in line and '"""The prompt in a container' in line for line in processes)
    assert all(len(line) < 140 for line in processes)


def test_the_exit_code_is_that_of_what_is_piped_in() -> None:
    assert piped("import sys; sys.exit(7)").returncode == 7


@pytest.mark.parametrize(
    ("pattern", "names"),
    [("*", {"a.py", "ab.pyc"}), ("a.py", {"a.py"}), ("*.py", {"a.py"}), ("a*c", {"ab.pyc"}), ("b*", set())],
)
def test_a_pattern_stands_for_names(pattern: str, names: set[str], tmp_path: Path) -> None:
    for name in ("a.py", "ab.pyc"):
        (tmp_path / name).touch()
    found = piped(f"find({pattern!r}, {str(tmp_path)!r})").stdout.splitlines()
    assert {Path(line).name for line in found} == names

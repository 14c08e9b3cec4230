"""``sys.executable`` of a bundled program acts as a Python, for processes of that program."""

from __future__ import annotations

import subprocess
from typing import TYPE_CHECKING

import pytest

from tests.executable.onefile.conftest import freeze, write_project

if TYPE_CHECKING:
    from pathlib import Path

pytestmark = [pytest.mark.once, pytest.mark.usefixtures("own_cache")]

SCRIPT = """
    import os
    import subprocess
    import sys
    from pathlib import Path

    def python(*words, given=None, env=None):
        done = subprocess.run([sys.executable, *words], input=given, env=env, capture_output=True, text=True)
        print(done.returncode, done.stdout.strip(), done.stderr.strip().rpartition("\\n")[2], sep="|", flush=True)

    if sys.argv[1:] == ["again"]:
        print("the program", __file__ == sys.argv[0], flush=True)
        sys.exit(4)
    if sys.argv[1:] != ["start"]:
        sys.exit(f"started with {sys.argv[1:]}")
    show = "import sys; print(sys.argv, __name__)"
    python("-c", show, "-x")
    python("-I", "-Bc", show)
    python("-X", "utf8", "-Wignore", "-c", show, env={})
    python("-m", "helper", "1")
    python("-m", "absent_one")
    python("-u", "-", "2", given=show)
    worker = Path(sys.argv[0] + "-worker.py" if os.access(Path(sys.argv[0]).parent, os.W_OK) else "/tmp/worker.py")
    worker.write_text(show + "; raise KeyError(5)")
    python(str(worker), "3")
    worker.unlink()
    python(sys.argv[0], "again")
    python("again")
    import helper
"""
HELPER = "import sys\n\nprint(__name__, sys.argv[1:], len(sys.argv[0]) > 2)\n"


@pytest.mark.parametrize("form", ["folder", "file", "static"])
def test_a_process_of_the_program_gets_what_a_python_would_run(form: str, tmp_path: Path) -> None:
    project = write_project(tmp_path / "starter", {"main.py": SCRIPT, "helper.py": HELPER})
    made = freeze(project, f"--form={form}").path
    program = made / "starter" if form == "folder" else made
    done = subprocess.run([program, "start"], capture_output=True, text=True, check=False, timeout=120)
    assert done.returncode == 0, done.stderr
    lines = done.stdout.splitlines()
    assert lines[:4] == [
        "0|['-c', '-x'] __main__|",
        "0|['-c'] __main__|",
        "0|['-c'] __main__|" if form != "file" else lines[2],
        "0|__main__ ['1'] True|",
    ]
    assert "No module named" in lines[4]
    assert lines[5] == "0|['-', '2'] __main__|"
    assert lines[6].startswith("1|['/")
    assert lines[6].endswith("-worker.py', '3'] __main__|KeyError: 5")
    assert lines[7:9] == ["4|the program False|", "4|the program False|"]
    assert lines[9] == "helper ['start'] True"

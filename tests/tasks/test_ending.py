from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path

_TASKS = """
from invoke.tasks import task

from cannery.tasks.ending import friendly

@task
@friendly
def work(context):
    import helper
"""


def _run_task(folder: Path, **env: str) -> None:
    (folder / "tasks.py").write_text(textwrap.dedent(_TASKS))
    (folder / "helper.py").write_text("")
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONDONTWRITEBYTECODE"}
    subprocess.run([sys.executable, "-m", "invoke", "work"], cwd=folder, env={**kept, **env}, check=True)


def _compiled(folder: Path) -> set[str]:
    return {path.name.partition(".")[0] for path in folder.rglob("*.pyc")}


def test_what_a_task_imports_is_compiled_once_and_kept(tmp_path: Path) -> None:
    _run_task(tmp_path)

    assert _compiled(tmp_path) == {"helper"}


def test_a_user_who_wants_no_bytecode_gets_none(tmp_path: Path) -> None:
    _run_task(tmp_path, PYTHONDONTWRITEBYTECODE="1")

    assert _compiled(tmp_path) == set()

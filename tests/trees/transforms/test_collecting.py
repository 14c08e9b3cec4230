"""What is different about the collection of garbage is seen by nobody who has something to see."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from cannery.image.tree import Tree
from cannery.python.interpreter import describe
from cannery.trees.transforms.collecting import seldom_collecting
from tests.support.tree_contents import read

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

_TOLD = "import gc\nfreeze, gc.freeze = gc.freeze, lambda: (freeze(), print('settled'))"
_CYCLE = """
class Here:
    def __init__(self): self.me = self
"""
PROGRAMS = {
    "shows.py": "import gc\nwithin = gc.get_threshold()[0]",
    "chooses.py": "import gc\ngc.set_threshold(17)",
    "outer.py": "import shows, gc\nafter_inner = gc.get_threshold()[0]",
    "fails.py": "def deep():\n    raise ValueError('here')\ndeep()",
    "litters.py": "for each in range(900):\n    mine = []\n    mine.append(mine)",
}
WITH_WORK = {
    "__del__": f"{_CYCLE}    def __del__(self): print('gone')\nHere()\nkept = Here()",
    "a weak reference": f"import weakref\n{_CYCLE}\nkept = weakref.ref(Here, lambda _: print('gone'))",
    "a weak reference to print": f"import weakref\n{_CYCLE}\nkept = weakref.ref(Here, print)",
    "a file": f"{_CYCLE}\nkept = Here()\nkept.file = open('written', 'w')\nkept.file.write('all')\nprint('gone')",
    "a generator": "def run():\n    try: yield\n    finally: print('gone')\nkept = run()\nnext(kept)",
    "callbacks": "import gc\ngc.callbacks.append(lambda phase, info: phase == 'stop' and print('gone'))",
    "debugging": "import gc, sys\nsys.stderr = sys.stdout\ngc.set_debug(gc.DEBUG_STATS)",
    "a thread": "import threading, time\nthreading.Thread(target=time.sleep, args=(60,), daemon=True).start()",
    "an extension module": "import msgspec",
}


@pytest.fixture
def site(workspace: Workspace, tmp_path: Path) -> Path:
    """The folder of packages of an image, with the programs' modules beside."""
    python = describe(Path(sys.executable), workspace)
    for path, file in (Tree() | seldom_collecting(python)).files():
        (tmp_path / path.rpartition("/")[2]).write_bytes(read(file))
    for name, text in PROGRAMS.items():
        (tmp_path / name).write_text(text, encoding="utf-8")
    return tmp_path


def ask(site: Path, program: str, *, ordinary: bool = False) -> str:
    """What ``program`` writes where Python reads the site's .pth files, or in an ``ordinary`` Python."""
    start = f"import sys; sys.path.append({str(site)!r})"
    start = start if ordinary else f"import site; site.addsitedir({str(site)!r})"
    command = [sys.executable, "-c", f"{start}\n{program}"]
    done = subprocess.run(command, cwd=site, capture_output=True, text=True, check=False)
    return done.stdout + done.stderr


def test_collection_is_seldom_within_an_import_and_as_ever_after_it(site: Path) -> None:
    before = "import gc; before = gc.get_threshold(), gc.get_freeze_count()"  # Python 3.12 starts with some frozen
    program = f"{before}; import outer, shows; print(shows.within, outer.after_inner)"
    said = ask(site, f"{program}; print(before == (gc.get_threshold(), gc.get_freeze_count()))")
    assert said == "100000 100000\nTrue\n"


def test_what_a_module_chooses_stays(site: Path) -> None:
    assert ask(site, "import chooses, gc; print(gc.get_threshold()[0])") == "17\n"


def test_a_program_that_froze_its_objects_keeps_them_frozen(site: Path) -> None:
    assert ask(site, "import gc; gc.freeze(); import outer; print(gc.get_freeze_count() > 1000)") == "True\n"


def test_garbage_of_a_module_that_is_loaded_again_and_again_is_collected(site: Path) -> None:
    count = "len([each for each in gc.get_objects() if type(each) is list and each and each[0] is each])"
    again = "import gc, importlib, litters\nfor _ in range(40): importlib.reload(litters)"
    assert int(ask(site, f"{again}\nprint({count})")) < 20 * 900


def test_tracebacks_show_no_more_than_ordinary_ones(site: Path) -> None:
    assert "ValueError: here" in ask(site, "import fails")
    assert ask(site, "import fails") == ask(site, "import fails", ordinary=True)


def test_a_program_that_leaves_nothing_to_do_is_settled(site: Path) -> None:
    assert ask(site, f"import argparse, logging, weakref, dataclasses, enum\n{_CYCLE}\nHere()\n{_TOLD}") == "settled\n"


@pytest.mark.parametrize("what", WITH_WORK)
def test_where_something_is_to_be_done_at_the_end_all_is_as_ever(site: Path, what: str) -> None:
    program = WITH_WORK[what]
    said = ask(site, f"{program}\n{_TOLD}")
    assert "settled" not in said
    if what not in ("debugging", "an extension module"):
        assert said == ask(site, f"{program}\n{_TOLD}", ordinary=True)

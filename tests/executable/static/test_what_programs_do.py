"""What programs do with modules, folders and processes of their own, in a static executable."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import TYPE_CHECKING

import pytest

from tests.support.wheels import make_wheel

if TYPE_CHECKING:
    from pathlib import Path

    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

TELLING = "import inspect\nimport sys\nTEXT = inspect.getsource(sys.modules[__name__])\n"
INSIDE = """
import sys
from pathlib import Path
sys.path.insert(0, (Path(__file__).parent / "_others").as_posix())
"""
HOLDING = {
    "holding/__init__.py": INSIDE,
    "holding/use.py": "import inside\nANSWER = inside.ANSWER\n",
    "holding/_others/inside/__init__.py": "from .deep import ANSWER\n",
    "holding/_others/inside/deep.py": "ANSWER = 43\n",
    "holding/_others/inside/LICENSE": "data, for which alone the folder counts as a namespace",
}
FILES = {
    "pyproject.toml": """
        [tool.cannery]
        recipe = "static"
        engine = "none"
        keep-sources = ["parts.inner"]
        static = { accelerators = false }
        """,
    "requirements.txt": "markupsafe==3.0.2\n./telling-1.0-py3-none-any.whl\n./holding-1.0-py3-none-any.whl\n",
    "parts/__init__.py": "NAME = 'parts'\n",
    "parts/inner.py": "from .__init__ import NAME\n",
    "parts/beside.txt": "beside",
    "parts/now/__init__.py": "import sys\nimport parts.v2\nsys.modules['parts.now'] = sys.modules['parts.v2']\n",
    "parts/v2/__init__.py": "",
    "parts/v2/answers.py": "ANSWER = 42\n",
    "parts/texts/deep/hello.txt": "hello",
    "parts/bare/leaf.py": "",
    "main.py": """
        import inspect
        import json
        import multiprocessing
        import pathlib
        import pkgutil
        from importlib import import_module
        from importlib.resources import files

        import holding.use
        import markupsafe
        import parts
        import parts.bare.leaf
        import parts.now
        import telling
        from parts import inner

        def double(number):
            return 2 * number

        def complaint():
            try:
                __import__("".join(["col", "orsys"]))
            except ImportError as error:
                return str(error)

        if __name__ == "__main__":
            with multiprocessing.get_context("spawn").Pool(1) as pool:
                doubled = pool.map(double, [3])
            texts = files("parts.texts")
            print(json.dumps({
                "doubled": doubled,
                "inner": inner.NAME,
                "in a folder of another": holding.use.ANSWER,
                "source": inspect.getsource(inner),
                "read at import": telling.TEXT,
                "another in its place": [parts.now.__name__, import_module("parts.now.answers").ANSWER],
                "escaped": str(markupsafe.escape("<")),
                "text": (texts / "deep" / "hello.txt").read_text(),
                "above": (texts / ".." / "beside.txt").read_text(),
                "beside": pathlib.Path(parts.__file__).with_name("beside.txt").read_text(),
                "complaint": complaint(),
                "modules": sorted(each.name for each in pkgutil.iter_modules(parts.__path__)),
            }))
        """,
}


def cannery(command: str, folder: Path, environment: dict[str, str]) -> subprocess.CompletedProcess[str]:
    line = ["timeout", "600", sys.executable, "-m", "cannery", command]
    return subprocess.run(line, cwd=folder, env=environment, capture_output=True, text=True, check=False)


def test_they_work_as_with_an_ordinary_python(make_project: MakeProject, kit: Path, cache: Path) -> None:
    folder = make_project(FILES)
    make_wheel(folder, "telling", files={"telling.py": TELLING.encode()})
    make_wheel(folder, "holding", files={path: text.encode() for path, text in HOLDING.items()})
    environment = {**os.environ, "CANNERY_KIT": str(kit), "CANNERY_CACHE": str(cache)}
    built = cannery("image", folder, environment)
    assert built.returncode == 0, built.stderr
    assert "markupsafe._speedups: accelerators = false\n" in built.stdout
    done = cannery("run", folder, environment)
    assert done.returncode == 0, done.stderr
    found = json.loads(done.stdout)
    assert 'include = ["colorsys"]' in found.pop("complaint")
    assert found == {
        "doubled": [6],
        "inner": "parts",
        "another in its place": ["parts.v2", 42],
        "in a folder of another": 43,
        "source": "from .__init__ import NAME\n",
        "read at import": TELLING,
        "escaped": "&lt;",
        "text": "hello",
        "above": "beside",
        "beside": "beside",
        "modules": ["inner", "now", "v2"],
    }

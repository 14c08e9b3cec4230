"""What wheels bring takes the place of names: scripts, modules, functions, and servers for applications."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import TYPE_CHECKING

import pytest

from cannery.errors import CanneryError, ConfigurationError, ProjectError
from cannery.image.content import OnDisk
from cannery.image.tree import File, LazyTree, Tree
from cannery.project.app import FunctionEntry, ModuleEntry, ScriptEntry
from cannery.project.config import load
from cannery.trees.settled import settled

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.project.app import App
    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once

SITE = "/usr/local/lib/python3.11/site-packages"
SERVERS = {
    "uvicorn.dist-info/entry_points.txt": "[console_scripts]\nuvicorn = uvicorn.main:main\n",
    "gunicorn.dist-info/entry_points.txt": "[console_scripts]\ngunicorn = gunicorn.app:run\n",
    "waitress.dist-info/entry_points.txt": "[console_scripts]\nwaitress-serve = waitress.runner:run\n",
}
FRAMEWORK = {
    "fw/__init__.py": "from .core import Plain as Plain, Modern, make, Setup\nfrom fw import wrappers\n",
    "fw/core.py": (
        "from .base import Base\n"
        "class Plain(Base): ...\n"
        "class Modern:\n    async def __call__(self, scope, receive, send): ...\n"
        "class Command:\n    def __call__(self, *args): ...\n"
        "class Setup:\n    server: Plain\n    def build(self):\n        return Plain(self)\n"
        "def make():\n    return Plain()\n"
    ),
    "fw/base.py": "class Base:\n    def __call__(self, environ, start_response): ...\n",
    "fw/wrappers.py": "class Wrapped:\n    def __call__(self, environ, start_response): ...\n",
    "fw/native.cpython-311-x86_64-linux-gnu.so": "",
}
TOOLS = {
    "tools.dist-info/entry_points.txt": (
        "[console_scripts]\nTool = tools.cli:Main.run [extra]\n\n[gui_scripts]\nwindow=tools.gui:main\n[other]\nx = y\n"
    ),
    "tools/__init__.py": "",
    "tools/__main__.py": "",
    "tools/cli.py": "class Main: ...\ndef other(): ...\n",
    "single.py": "from elsewhere import *\n",
    "lib/__init__.py": "",
}


def tree(folder: Path, files: dict[str, str]) -> LazyTree:
    entries = {}
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
        entries[f"{SITE}/{name}"] = File(OnDisk(path, len(text)))
    return LazyTree(f"key of {sorted(files)}", lambda: Tree(entries))


def starting(folder: Path, files: dict[str, str], workspace: Workspace) -> App:
    """The app in ``folder`` with wheels that have ``files``."""
    return settled(load(folder), tree(folder.parent / "wheels", files), SITE, workspace)


def project(make_project: MakeProject, entry: str, **more: str) -> Path:
    settings = f'[tool.cannery]\nentry = "{entry}"\n'
    return make_project({"requirements.txt": "x\n", "own/__init__.py": "", "pyproject.toml": settings, **more})


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ("Tool", FunctionEntry("Tool", "tools.cli", "Main.run")),
        ("window", FunctionEntry("window", "tools.gui", "main")),
        ("tools", ModuleEntry("tools")),
        ("tools.cli", ModuleEntry("tools.cli")),
        ("tools.cli:other", FunctionEntry("cli", "tools.cli", "other")),
        ("tools.cli:Main.run", FunctionEntry("cli", "tools.cli", "Main.run")),
        ("single:anything", FunctionEntry("single", "single", "anything")),
        ("fw.native:run", FunctionEntry("native", "fw.native", "run")),
        ("http.server", ModuleEntry("http.server")),
    ],
)
def test_what_a_dependency_has_is_started(
    make_project: MakeProject, workspace: Workspace, entry: str, expected: object
) -> None:
    assert starting(project(make_project, entry), {**TOOLS, **FRAMEWORK}, workspace).entry == expected


def test_a_script_that_another_is_to_start_comes_along(make_project: MakeProject, workspace: Workspace) -> None:
    settings = '[tool.cannery]\nentry = "Tool"\nargs = ["--name", "x", "window", "x", "Tool", "--help"]\n'
    folder = make_project({"requirements.txt": "x\n", "pyproject.toml": settings})
    app = starting(folder, TOOLS, workspace)
    (command,) = app.commands
    assert (command.name, command.entry) == ("window", FunctionEntry("window", "tools.gui", "main"))
    assert [(each.what, each.source) for each in app.found if each.what != "requirements"] == [
        ("commands.window", "the arguments of Tool")
    ]


@pytest.mark.parametrize(
    ("entry", "hint"),
    [
        ("Tol", "did you mean 'Tool'?"),
        ("owm", "did you mean 'own'?"),
        ("toolz.cli:other", "did you mean 'tools.cli'?"),
        ("tools.cli:othr", "did you mean 'other'?"),
        ("lib", "neither the project nor a dependency has such script, module or package"),
    ],
)
def test_what_neither_has_is_refused_with_the_nearest_name(
    make_project: MakeProject, workspace: Workspace, entry: str, hint: str
) -> None:
    with pytest.raises(ConfigurationError, match="does not exist") as raised:
        starting(project(make_project, entry), TOOLS, workspace)
    assert hint in str(raised.value)


def test_a_script_that_lies_in_a_wheel_goes_in_if_it_is_python(make_project: MakeProject, workspace: Workspace) -> None:
    folder = project(make_project, "old-tool")
    scripts = workspace.cache.root / "dependencies" / tree(folder.parent / "wheels", TOOLS).key / "bin"
    scripts.mkdir(parents=True)
    (scripts / "old-tool").write_text("#!/usr/bin/env python3\nprint(1)\n")
    expected = ScriptEntry(PurePosixPath("/usr/local/bin/old-tool.py"), "#!/usr/bin/env python3\nprint(1)\n")
    assert starting(folder, TOOLS, workspace).entry == expected
    (scripts / "other-tool").write_text("#!/bin/sh\necho 1\n")
    with pytest.raises(ConfigurationError, match="no Python program"):
        starting(project(make_project, "other-tool"), TOOLS, workspace)


@pytest.mark.parametrize(
    ("source", "command"),
    [
        ("app = fw.Modern()", "uvicorn --host 0.0.0.0 --port ${PORT:-8000} main:app"),
        ("app = fw.Plain()", "gunicorn --bind 0.0.0.0:${PORT:-8000} main:app"),
        ("app = fw.make()", "gunicorn --bind 0.0.0.0:${PORT:-8000} main:app"),
        ("app = fw.wrappers.Wrapped(fw.Modern())", "gunicorn --bind 0.0.0.0:${PORT:-8000} main:app"),
        ("setup = fw.Setup()\napp = setup.build()", "gunicorn --bind 0.0.0.0:${PORT:-8000} main:app"),
        ("setup = fw.Setup()\nserver = setup.server", "gunicorn --bind 0.0.0.0:${PORT:-8000} main:server"),
        ("app = nowhere.get_asgi_application()", "uvicorn --host 0.0.0.0 --port ${PORT:-8000} main:app"),
        ("def create_app():\n    return fw.Plain()", "gunicorn --bind '0.0.0.0:${PORT:-8000}' 'main:create_app()'"),
        (
            "def create_app():\n    return fw.Modern()",
            "uvicorn --factory --host 0.0.0.0 --port ${PORT:-8000} main:create_app",
        ),
    ],
)
def test_an_application_is_served_by_what_serves_its_kind(
    make_project: MakeProject, workspace: Workspace, source: str, command: str
) -> None:
    folder = make_project({"requirements.txt": "x\n", "main.py": f"import fw, nowhere\n{source}\n"})
    app = starting(folder, {**SERVERS, **FRAMEWORK}, workspace)
    assert app.found[0].value == command.replace("'0.0.0.0:${PORT:-8000}'", "0.0.0.0:${PORT:-8000}")
    assert app.ports == ("8000",)


def test_servers_are_taken_in_their_order_and_given_the_arguments_of_the_settings(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {"main.py": "import fw\napp = fw.Plain()\ndef create_app():\n    return app\n"}
    settings = '[tool.cannery]\nentry = "main:app"\nargs = ["--threads=2"]\n'
    folder = make_project({**files, "requirements.txt": "x\n", "pyproject.toml": settings})
    app = starting(folder, {**SERVERS, **FRAMEWORK}, workspace)
    assert app.entry == FunctionEntry("gunicorn", "gunicorn.app", "run")
    assert app.main.arguments[2:] == ("main:app", "--threads=2")
    only = {name: text for name, text in SERVERS.items() if "waitress" in name}
    assert starting(folder, {**only, **FRAMEWORK}, workspace).entry == FunctionEntry(
        "waitress-serve", "waitress.runner", "run"
    )


@pytest.mark.parametrize(
    ("source", "said"),
    [
        ("app = fw.Plain()", ["main.py defines app and starts nothing", "a WSGI application", "gunicorn"]),
        ("app = fw.Modern()", ["an ASGI application", "requirements.txt", "uvicorn"]),
        ("app = fw.core.Command()", ["main.py defines app and starts nothing", 'entry = "main:app"']),
    ],
)
def test_an_application_that_nothing_serves_is_refused_with_what_to_add(
    make_project: MakeProject, workspace: Workspace, source: str, said: list[str]
) -> None:
    folder = make_project({"requirements.txt": "x\n", "main.py": f"import fw\n{source}\n"})
    with pytest.raises(ProjectError) as raised:
        starting(folder, FRAMEWORK, workspace)
    assert [text for text in said if text not in str(raised.value)] == []


@pytest.mark.parametrize(
    ("source", "servers", "entry"),
    [
        ("app = fw.core.Command()\napp.go()", True, ScriptEntry(PurePosixPath("main.py"))),
        ("app = fw.Plain()\nif __name__ == '__main__':\n    app.run()", False, ScriptEntry(PurePosixPath("main.py"))),
        (
            "app = fw.Plain()\nif __name__ == '__main__':\n    app.run()",
            True,
            FunctionEntry("gunicorn", "gunicorn.app", "run"),
        ),
    ],
)
def test_a_script_runs_where_it_has_no_application_or_a_server_of_its_own(
    make_project: MakeProject, workspace: Workspace, source: str, *, servers: bool, entry: object
) -> None:
    folder = make_project({"requirements.txt": "x\n", "main.py": f"import fw\n{source}\n"})
    assert starting(folder, {**FRAMEWORK, **(SERVERS if servers else {})}, workspace).entry == entry


def test_a_later_build_asks_no_wheel_again(make_project: MakeProject, workspace: Workspace) -> None:
    folder = project(make_project, "Tool")
    first = starting(folder, TOOLS, workspace)

    def nothing() -> Tree:
        raise AssertionError

    key = tree(folder.parent / "wheels", TOOLS).key
    assert settled(load(folder), LazyTree(key, nothing), SITE, workspace) == first


def test_an_object_that_is_called_as_a_function_is_none_of_these(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = project(make_project, "main:cli", **{"main.py": "import fw\ncli = fw.core.Command()\n"})
    assert starting(folder, FRAMEWORK, workspace).entry == FunctionEntry("main", "main", "cli")
    folder = project(make_project, "main:cli", **{"main.py": "import fw\ncli = fw.Plain()\n"})
    with pytest.raises(CanneryError, match="main:cli is an application, and no function"):
        starting(folder, FRAMEWORK, workspace)


@pytest.mark.parametrize(
    ("start", "heard"),
    [
        ("app.run()", False),
        ("app.run(debug=True)", False),
        ("app.run('0.0.0.0')", True),
        ("app.run(host='0.0.0.0')", True),
        ("app.run(**options)", True),
        ("uvicorn.run(app)", False),
        ("uvicorn.run('main:app', port=80)", False),
        ("uvicorn.run(app, host=host)", True),
    ],
)
def test_a_script_whose_server_nobody_hears_is_told(
    make_project: MakeProject, workspace: Workspace, start: str, *, heard: bool
) -> None:
    source = f"import fw, uvicorn\napp = fw.Plain()\nif __name__ == '__main__':\n    {start}\n"
    app = starting(make_project({"requirements.txt": "x\n", "main.py": source}), FRAMEWORK, workspace)
    assert app.entry == ScriptEntry(PurePosixPath("main.py"))
    assert [note.partition(" ")[0] for note in app.notes] == ([] if heard else ["main.py:4"])


def test_a_run_that_is_no_server_s_is_not_told_of(make_project: MakeProject, workspace: Workspace) -> None:
    source = "import fw\napp = fw.core.Command()\nif __name__ == '__main__':\n    app.run()\n"
    app = starting(make_project({"requirements.txt": "x\n", "main.py": source}), FRAMEWORK, workspace)
    assert (app.entry, app.notes) == (ScriptEntry(PurePosixPath("main.py")), ())


def test_a_server_that_takes_no_function_is_given_none(make_project: MakeProject, workspace: Workspace) -> None:
    daphne = {"daphne.dist-info/entry_points.txt": "[console_scripts]\ndaphne = daphne.cli:run\n", **FRAMEWORK}
    files = {"requirements.txt": "x\n", "main.py": "import fw\ndef create_app():\n    return fw.Modern()\n"}
    with pytest.raises(ProjectError, match="starts nothing"):
        starting(make_project(files), daphne, workspace)
    folder = make_project({"main.py": "import fw\ndef create_app():\n    return fw.Modern()\napp = create_app()\n"})
    assert starting(folder, daphne, workspace).entry == FunctionEntry("daphne", "daphne.cli", "run")

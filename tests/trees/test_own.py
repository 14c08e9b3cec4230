"""What is the project's own: what imports and strings name, what lies beside, and what is told of the rest."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.image.tree import Directory
from cannery.project.config import load
from cannery.recipes.notes import notes_on_programs
from cannery.trees.app import AppTree, app_tree

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

pytestmark = pytest.mark.once


def tree_of(folder: Path, workspace: Workspace) -> AppTree:
    return app_tree(load(folder), workspace)


def code(folder: Path, workspace: Workspace) -> set[str]:
    return {path.removeprefix("/app/") for path in tree_of(folder, workspace).code.tree.entries}


def resources(folder: Path, workspace: Workspace) -> set[str]:
    return {path.removeprefix("/app/") for path in tree_of(folder, workspace).resources.tree.entries}


def test_a_package_that_is_imported_goes_in_whatever_it_is_called(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {
        "main.py": "import utils.x, tasks",
        "utils/__init__.py": "",
        "utils/x.py": "",
        "tasks.py": "",
        "setup.py": "",
    }
    folder = make_project(files)
    assert code(folder, workspace) == {"main.py", "utils/__init__.py", "utils/x.py", "tasks.py"}


@pytest.mark.parametrize(
    ("line", "named"),
    [
        ('uvicorn.run("service.main:app")', True),
        ('ROOT_URLCONF = "service.main"', True),
        ('WSGI_APPLICATION = "service.main.application"', True),
        ('x = "service"', False),
        ('x = "service.other"', False),
    ],
)
def test_a_folder_with_no_init_is_a_package_where_a_string_names_a_module_in_it(
    make_project: MakeProject, workspace: Workspace, line: str, named: bool
) -> None:
    folder = make_project({"main.py": line, "service/main.py": "", "service/data.txt": ""})
    assert ("service/main.py" in code(folder, workspace)) == named


def test_a_command_in_the_code_names_a_module(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'run([sys.executable, "-m", "jobs.clean"])', "jobs/clean.py": ""})
    assert code(folder, workspace) == {"main.py", "jobs/clean.py"}
    assert tree_of(folder, workspace).imports == {"jobs"}


@pytest.mark.parametrize("settings", ['args = ["worker:run"]', 'env = {APP = "worker"}'])
def test_arguments_and_variables_name_modules(make_project: MakeProject, workspace: Workspace, settings: str) -> None:
    files = {"bin/main.py": "", "worker.py": "import helper", "helper.py": "", "other.py": ""}
    folder = make_project({**files, "pyproject.toml": f'[tool.cannery]\nentry = "bin/main.py"\n{settings}\n'})
    assert code(folder, workspace) == {"bin/main.py", "worker.py", "helper.py"}


def test_an_installed_project_has_the_packages_of_its_wheel(make_project: MakeProject, workspace: Workspace) -> None:
    pyproject = '[project]\nname = "one"\nversion = "1"\nscripts = {one = "one.cli:main"}\n'
    files = {"one/__init__.py": "", "one/cli.py": "def main(): ...", "two/__init__.py": "", "tests/__init__.py": ""}
    flat = make_project({**files, "manage.py": "", "scripts/x.py": "", "pyproject.toml": pyproject}, "flat")
    assert {path for path in code(flat, workspace) if path.endswith(".py")} == files.keys() - {"tests/__init__.py"}
    source = {f"src/{name}": text for name, text in files.items()}
    src = make_project({**source, "src/space/part.py": "", "more/__init__.py": "", "pyproject.toml": pyproject}, "src")
    found = {path for path in code(src, workspace) if path.endswith(".py")}
    assert found == {"src/one/__init__.py", "src/one/cli.py", "src/two/__init__.py", "src/space/part.py"}


def test_one_service_of_several_takes_what_it_names_of_the_others(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {
        "services/a/main.py": "import beside, shared.log",
        "services/a/beside.py": "",
        "services/b/main.py": "import nothing_here",
        "shared/__init__.py": "",
        "shared/log.py": "",
        "unshared/__init__.py": "",
    }
    folder = make_project({**files, "pyproject.toml": '[tool.cannery]\nentry = "services/a/main.py"\n'})
    assert code(folder, workspace) == {
        "services/a/main.py", "services/a/beside.py", "shared/__init__.py", "shared/log.py",
    }  # fmt: skip


def test_what_nothing_imports_and_is_no_python_stays_out_with_a_note(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": "", "old.py": "x = 1\nprint 'x'\n"})
    assert code(folder, workspace) == {"main.py"}
    assert any(note.startswith("old.py is no Python (") for note in tree_of(folder, workspace).notes)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ('open("data/one.csv")', {"data/one.csv"}),
        ('HERE / "data" / "one.csv"', {"data/one.csv", "data/two.csv"}),
        ('open(f"{HERE}/data/{name}.csv")', {"data/one.csv", "data/two.csv"}),
        ('open(HERE + "/data/one.csv")', {"data/one.csv"}),
        ('glob("data/*.csv")', {"data/one.csv", "data/two.csv"}),
        ('"data/%s.csv" % name', {"data/one.csv", "data/two.csv"}),
        ('open("./config.toml")', {"config.toml"}),
        ('open("/data/one.csv"), "../data", "nothing"', set()),
        ('a["data"], {"data": 1}, "data" in a, a.get("data"), getattr(a, "data")', set()),
        ('TABLE["x"] = "data"', {"data/one.csv", "data/two.csv"}),
    ],
)
def test_data_beside_a_script_goes_in_where_a_string_names_it(
    make_project: MakeProject, workspace: Workspace, line: str, found: set[str]
) -> None:
    files = {"main.py": line, "data/one.csv": "", "data/two.csv": "", "config.toml": "", "other/x": ""}
    folder = make_project(files)
    assert resources(folder, workspace) == found
    if found:
        assert f"goes in, as the code or a convention names it: {min(found).split('/')[0]}" in " ".join(
            tree_of(folder, workspace).notes
        )


def test_a_folder_that_is_seldom_read_stays_out_and_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'KINDS = ["docs"]', "docs/index.md": ""})
    (note,) = tree_of(folder, workspace).notes
    assert note.startswith("stays out, though the code or a convention names it: docs: it is seldom")
    assert note.endswith("resources = ['docs']")


@pytest.mark.parametrize(
    "line",
    [
        'Path(__file__).parent / "docs"',
        'os.path.join(HERE, "docs")',
        'StaticFiles(directory="docs")',
        'Flask(__name__, static_folder="./docs/")',
        'open(f"docs/{name}.md")',
    ],
)
def test_it_goes_in_where_its_name_stands_as_a_path(make_project: MakeProject, workspace: Workspace, line: str) -> None:
    folder = make_project({"main.py": f"{line}\nALL = 6 / 2", "docs/index.md": "", "docs/a/b.md": ""})
    assert resources(folder, workspace) == {"docs/index.md", "docs/a/b.md"}


def test_no_archive_of_the_image_goes_in_and_no_tests(make_project: MakeProject, workspace: Workspace) -> None:
    line = 'StaticFiles(directory="dist"); HERE / "tests"'
    folder = make_project({"main.py": line, "dist/index.html": "", "dist/project.tar": "", "tests/a.txt": ""})
    assert resources(folder, workspace) == {"dist/index.html"}


def test_large_data_is_told_with_its_size(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'open("model.bin")'})
    with (folder / "model.bin").open("wb") as file:
        file.truncate(25_000_000)
    assert tree_of(folder, workspace).notes == ("goes in, as the code or a convention names it: model.bin (25 MB)",)


def test_folders_that_frameworks_look_for_go_in(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "", "templates/a.html": "", "static/a.css": "", "alembic/env.py": "import x"})
    assert resources(folder, workspace) == {"templates/a.html", "static/a.css", "alembic/env.py"}


@pytest.mark.parametrize(("name", "there"), [("a.tpl", {"views/a.tpl"}), ("a.py", set())])
def test_templates_go_in_where_their_folder_holds_no_module(
    make_project: MakeProject, workspace: Workspace, name: str, there: set[str]
) -> None:
    assert resources(make_project({"main.py": "", f"views/{name}": ""}), workspace) == there


def test_an_empty_folder_that_is_named_comes_along(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'os.listdir("inbox")', "pyproject.toml": '[tool.cannery]\nresources = ["out"]\n'})
    for name in ("inbox", "out/deep"):
        (folder / name).mkdir(parents=True)
    entries = tree_of(folder, workspace).resources.tree.entries
    assert entries == {"/app/inbox": Directory(), "/app/out/deep": Directory()}


def test_what_stays_out_is_told_with_the_line_that_takes_it_in(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "", "assets/x.png": "", "docs/x.md": "", "empty/.keep": "", "README.md": ""})
    (note,) = tree_of(folder, workspace).notes
    assert "assets" in note
    assert "docs" not in note
    assert "resources = ['assets']" in note


def test_a_secret_that_code_names_stays_out_and_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'open("conf/a.txt"), "conf/"', "conf/a.txt": "", "conf/id_rsa": "x"})
    assert resources(folder, workspace) == {"conf/a.txt"}
    assert any("conf/id_rsa: it looks like a secret" in note for note in tree_of(folder, workspace).notes)


def test_a_pattern_that_excludes_nothing_is_told(make_project: MakeProject, workspace: Workspace) -> None:
    settings = '[tool.cannery]\nexclude = ["datta/*", "*.log", "data"]\n'
    folder = make_project({"main.py": "", "data/x": "", "pyproject.toml": settings})
    (note,) = tree_of(folder, workspace).notes
    assert "exclude names 'datta/*'" in note
    assert "did you mean 'data'?" in note


PLUGINS = {"pkg/plugins/__init__.py", "pkg/plugins/a.py"}


def test_code_that_looks_for_sources_is_noted_with_its_line(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": 'import inspect\nfor path in here.glob("**/*.py"): ...\ninspect.getsource(x)'})
    tree = tree_of(folder, workspace)
    assert (tree.source_readers, tree.source_listers) == (("main.py:3",), ("main.py:2",))
    make_project({"main.py": "HERE = Path(__file__)\ndef f(folder):\n    return Path(folder).glob('*.py')\nf('x')"})
    assert tree_of(folder, workspace).source_listers == ("main.py:3",)  # other people's: HERE is for something else


@pytest.mark.parametrize(
    ("lister", "line", "kept"),
    [
        ("pkg/plugins/__init__.py", 'glob(join(dirname(__file__), "*.py"))', PLUGINS),
        ("pkg/main.py", '[p.stem for p in (here / "plugins").iterdir() if p.suffix == ".py"]', PLUGINS),
        (
            "pkg/main.py",
            'for n in os.listdir("./pkg/plugins"):\n    if n.endswith((".py", ".so")): load(n[:-3])',
            PLUGINS,
        ),
        ("pkg/main.py", 'os.walk(dirname(__file__)); n.endswith(".py")', {*PLUGINS, "pkg/__init__.py", "pkg/main.py"}),
        (
            "pkg/main.py",
            "HERE = Path(__file__)\ndef f():\n    return HERE.parent.glob('*.py')",
            {"pkg/__init__.py", "pkg/main.py"},
        ),
        ("pkg/main.py", 'here / "plugins"; n.endswith(".py")', set()),
        ("pkg/main.py", 'os.listdir(here / "plugins"); n.endswith(".pyc")', set()),
    ],
)
def test_sources_stay_where_the_app_lists_them(
    make_project: MakeProject, workspace: Workspace, lister: str, line: str, kept: set[str]
) -> None:
    files = {"pkg/__init__.py": "", "pkg/main.py": "", "pkg/plugins/__init__.py": "", "pkg/plugins/a.py": ""}
    folder = make_project({**files, lister: line, "pyproject.toml": '[tool.cannery]\nentry = "pkg.main:x"\n'})
    (folder / "pkg/main.py").write_text(f"def x(): ...\n{(folder / 'pkg/main.py').read_text()}")
    tree = tree_of(folder, workspace)
    assert {path.removeprefix("/app/") for path in tree.resources.tree.entries} == kept
    assert any("goes in with its sources" in note for note in tree.notes) == bool(kept)
    assert not tree.source_listers


def test_a_folder_whose_modules_the_app_lists_goes_in_as_modules(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {"main.py": 'for n in os.listdir("./cogs"):\n    if n.endswith(".py"): load(f"cogs.{n[:-3]}")'}
    folder = make_project({**files, "cogs/music.py": "", "cogs/words.txt": "", "other/x.py": ""})
    assert code(folder, workspace) == {"main.py", "cogs/music.py", "cogs/words.txt"}
    assert resources(folder, workspace) == {"cogs/music.py"}  # the source, beside what becomes of it


@pytest.mark.parametrize(
    ("names", "kept"),
    [
        (("versions/0001_first.py", "versions/second.py"), {"versions/0001_first.py", "versions/second.py"}),
        (("versions/first.py", "env.py", "script.py.mako"), {"versions/first.py"}),
        (("versions/0001_first.py", "versions/__init__.py"), set()),  # Django's way: importlib loads them
    ],
)
def test_sources_stay_that_only_their_names_can_find(
    make_project: MakeProject, workspace: Workspace, names: tuple[str, ...], kept: set[str]
) -> None:
    files = dict.fromkeys([f"pkg/schema/{name}" for name in names], "")
    folder = make_project({"pkg/__init__.py": "", "pkg/__main__.py": "", "pkg/schema/__init__.py": "", **files})
    (folder / "my-tool.py").touch()  # beside the package, and nothing lists that
    assert resources(folder, workspace) == {f"pkg/schema/{name}" for name in kept}


PROGRAMS = """
import os, shutil, subprocess, sys
from subprocess import check_output as output

subprocess.run(["/usr/bin/git", "log"])
output("LANG=C pdftotext -v", shell=True)
os.system("ls -l")
subprocess.run([sys.executable, "-m", "app"])
other.run(["no"])
shutil.which("asked")
try:
    subprocess.call(["optional"])
except FileNotFoundError:
    pass
try:
    subprocess.call(["needed"])
except OSError as error:
    raise SystemExit from error
"""


def test_other_programs_that_code_starts_are_known_with_their_lines(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": PROGRAMS})
    found = {
        "git": "main.py:5",
        "pdftotext": "main.py:6",
        "ls": "main.py:7",
        "needed": "main.py:16",
    }
    assert tree_of(folder, workspace).programs == found
    assert tree_of(folder, workspace).programs == found  # as it is remembered


@pytest.mark.parametrize(("commands", "told"), [('{ git = "main.py" }', {"ls"}), ("{}", {"git", "ls"})])
def test_a_program_that_the_image_has_not_is_told(
    make_project: MakeProject, workspace: Workspace, commands: str, told: set[str]
) -> None:
    code = 'import subprocess\nsubprocess.run(["git"])\nsubprocess.run(["ls"])\n'
    folder = make_project({"main.py": code, "pyproject.toml": f"[tool.cannery]\ncommands = {commands}\n"})
    notes = notes_on_programs(tree_of(folder, workspace), load(folder))
    assert {note.split(",")[0].partition(" starts ")[2] for note in notes} == told


def test_sources_that_code_names_are_there_as_they_are(make_project: MakeProject, workspace: Workspace) -> None:
    files = {
        "main.py": 'run_path(HERE / "config.py"), "__init__.py", "main.py"',
        "config.py": "",
        "package/__init__.py": 'open(f"{here}/inner.py"), "config.py", "other.py"',
        "package/inner.py": "",
        "other.py": "",
        "unnamed.py": "",
    }
    folder = make_project(files)
    assert resources(folder, workspace) == {"config.py", "package/inner.py", "other.py"}
    make_project({"pyproject.toml": '[tool.cannery]\ndrop-sources = ["config", "package"]\nargs = ["./unnamed.py"]\n'})
    assert resources(folder, workspace) == {"other.py", "unnamed.py"}

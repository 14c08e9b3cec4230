"""The app's tree: what the entry point reaches, and nothing that mustn't be in an image."""

from __future__ import annotations

import os
import socket
from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError, ProjectError
from cannery.image.content import Inline
from cannery.image.tree import File, Symlink
from cannery.project.config import load
from cannery.trees.app import AppTree, app_tree
from cannery.trees.installed import entry_command

if TYPE_CHECKING:
    from pathlib import Path

    from cannery.workspace.workspace import Workspace
    from tests.conftest import MakeProject

PYTHON = "/usr/local/bin/python3"


def tree_of(folder: Path, workspace: Workspace) -> AppTree:
    return app_tree(load(folder), workspace)


def paths(folder: Path, workspace: Workspace) -> set[str]:
    tree = tree_of(folder, workspace)
    return {*tree.code.tree.entries, *tree.resources.tree.entries}


def test_what_lies_beside_a_script_goes_in_but_for_tests_and_build_files(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project(
        {
            "main.py": "def f():\n    from used import thing\n\nf()\n",
            "used/__init__.py": "import helper",
            "used/sub/deep.py": "",
            "used/data.json": "{}",
            "used/__pycache__/x.pyc": "",
            "helper.py": "import os, polars",
            "unnamed/__init__.py": "",
            "settings.py": "",
            "tests/__init__.py": "",
            "tests/test_it.py": "import main",
            "test_main.py": "",
            "run_tests.py": "import tests",
            "noxfile.py": "",
            "setup.py": "",
            "venv/pyvenv.cfg": "",
            "venv/lib/x.py": "",
            "a-script.py": "",
        }
    )
    assert paths(folder, workspace) == {
        "/app/main.py", "/app/used/__init__.py", "/app/used/sub/deep.py", "/app/used/data.json", "/app/helper.py",
        "/app/unnamed/__init__.py", "/app/settings.py", "/app/run_tests.py",
    }  # fmt: skip
    assert tree_of(folder, workspace).imports == {"used", "helper", "os", "polars", "tests"}


def test_a_script_s_own_folder_is_where_its_imports_start(make_project: MakeProject, workspace: Workspace) -> None:
    files = {"bin/run.py": "import beside, above", "bin/beside.py": "", "above.py": "", "beside.py": ""}
    folder = make_project({**files, "pyproject.toml": '[tool.cannery]\nentry = "bin/run.py"\n'})
    assert paths(folder, workspace) == {"/app/bin/run.py", "/app/bin/beside.py", "/app/above.py"}


def test_namespace_packages_go_in(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import space.part", "space/part.py": "", "docs/x.md": ""})
    assert "/app/space/part.py" in paths(folder, workspace)


def test_a_word_with_a_colon_and_nothing_behind_it_names_no_module(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {"main.py": "print('tests:', 'tools:main')", "tests/__init__.py": "", "tools/__init__.py": ""}
    assert paths(make_project(files), workspace) == {"/app/main.py", "/app/tools/__init__.py"}


def test_packages_that_no_import_shows_are_named_by_the_configuration(
    make_project: MakeProject, workspace: Workspace
) -> None:
    files = {"main.py": "", "plugin.py": "import other", "other.py": ""}
    folder = make_project({**files, "pyproject.toml": '[tool.cannery]\npackages = ["plugin"]\n'})
    assert paths(folder, workspace) == {"/app/main.py", "/app/plugin.py", "/app/other.py"}
    folder = make_project({"pyproject.toml": '[tool.cannery]\npackages = ["plugim"]\n'})
    with pytest.raises(ConfigurationError, match="plugim"):
        tree_of(folder, workspace)


def test_resources_keep_their_place_and_are_taken_as_they_are(make_project: MakeProject, workspace: Workspace) -> None:
    files = {"main.py": "", "resources/page.html": "x", "resources/template.py": "{{ not python }}"}
    folder = make_project({**files, "pyproject.toml": '[tool.cannery]\nresources = ["resources"]\n'})
    tree = tree_of(folder, workspace)
    assert set(tree.resources.tree.entries) == {"/app/resources/page.html", "/app/resources/template.py"}
    assert set(tree.code.tree.entries) == {"/app/main.py"}


@pytest.mark.parametrize("name", ["missing", "../outside", "/etc/passwd", ".", ""])
def test_a_resource_that_is_not_in_the_project_is_refused(
    make_project: MakeProject, workspace: Workspace, name: str
) -> None:
    folder = make_project({"main.py": "", "pyproject.toml": f'[tool.cannery]\nresources = ["{name}"]\n'})
    with pytest.raises(ConfigurationError, match="resources names"):
        tree_of(folder, workspace)


def test_excluded_files_stay_behind(make_project: MakeProject, workspace: Workspace) -> None:
    files = {"main.py": "import pkg", "pkg/__init__.py": "", "pkg/tests/test_x.py": "import hypothesis"}
    folder = make_project({**files, "pyproject.toml": '[tool.cannery]\nexclude = ["pkg/tests"]\n'})
    assert paths(folder, workspace) == {"/app/main.py", "/app/pkg/__init__.py"}


def test_an_installed_project_s_metadata_and_script_are_made(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project(
        {
            "pyproject.toml": '[project]\nname = "hello-app"\nversion = "1.2"\ndependencies = ["fire"]\n'
            'scripts = {hello = "hello:Cli.main"}\n',
            "src/hello/__init__.py": "class Cli:\n    main = staticmethod(print)\n",
        }
    )
    tree = tree_of(folder, workspace).code.tree
    metadata = tree.entries["/app/src/hello_app-1.2.dist-info/METADATA"]
    assert isinstance(metadata, File)
    assert isinstance(metadata.content, Inline)
    assert b"Name: hello-app\nVersion: 1.2\n" in metadata.content.data
    script = tree.entries["/usr/local/bin/hello"]
    assert isinstance(script, File)
    assert script.mode == 0o755
    assert isinstance(script.content, Inline)
    assert b'from hello import Cli\n\nif __name__ == "__main__":\n    sys.exit(Cli.main())' in script.content.data
    assert entry_command(load(folder), PYTHON) == ("/usr/local/bin/hello",)


def test_each_kind_of_entry_point_has_its_command(make_project: MakeProject) -> None:
    script = load(make_project({"main.py": ""}, folder="one"))
    assert entry_command(script, PYTHON) == (PYTHON, "/app/main.pyc")
    module = load(make_project({"pkg/__init__.py": "", "pkg/__main__.py": ""}, folder="two"))
    assert entry_command(module, PYTHON) == (PYTHON, "-m", "pkg")


def test_the_key_follows_contents_and_modes_but_not_times_or_places(
    make_project: MakeProject, workspace: Workspace
) -> None:
    def key(folder: str, text: str, mode: int = 0o644) -> str:
        path = make_project({"main.py": text}, folder) / "main.py"
        path.chmod(mode)
        os.utime(path, (5, 5))
        return tree_of(path.parent, workspace).code.key

    assert key("one", "a = 1") == key("two", "a = 1", 0o600)
    assert key("one", "a = 1") != key("two", "a = 2")
    assert key("one", "a = 1") != key("two", "a = 1", 0o755)


def test_a_change_is_seen_whatever_the_file_s_time_says(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "a = 1"})
    os.utime(folder / "main.py", (5, 5))
    before = tree_of(folder, workspace).code.key
    make_project({"main.py": "a = 2"})
    os.utime(folder / "main.py", (5, 5))
    assert tree_of(folder, workspace).code.key != before


def test_a_syntax_error_is_reported_with_file_and_line(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "x = 1\nif\n"})
    with pytest.raises(ProjectError, match=r"pkg/__init__.py:2: invalid syntax"):
        tree_of(folder, workspace)


@pytest.mark.parametrize("name", ["with space", "line\nbreak", "ü" * 120])
def test_odd_names_are_taken(make_project: MakeProject, workspace: Workspace, name: str) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", f"pkg/{name}": ""})
    assert f"/app/pkg/{name}" in paths(folder, workspace)


def test_a_name_that_is_no_utf8_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    os.close(os.open(os.fsencode(folder / "pkg") + b"/caf\xe9", os.O_CREAT))
    with pytest.raises(ProjectError, match=r"caf\\xe9.* is not UTF-8"):
        tree_of(folder, workspace)


def test_a_link_within_the_app_stays_a_link(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", "pkg/data/x": ""})
    (folder / "pkg" / "link").symlink_to(folder / "pkg" / "data" / "x")
    (folder / "pkg" / "current").symlink_to("data")
    entries = tree_of(folder, workspace).code.tree.entries
    assert entries["/app/pkg/link"] == Symlink("data/x")
    assert entries["/app/pkg/current"] == Symlink("data")


def test_a_link_out_of_the_project_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    (folder / "pkg" / "passwd").symlink_to("/etc/passwd")
    with pytest.raises(ProjectError, match="leads out of the project") as raised:
        tree_of(folder, workspace)
    assert "pkg/passwd -> /etc/passwd" in raised.value.evidence


def test_a_name_that_layers_take_for_a_removal_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", "pkg/.wh.data": ""})
    with pytest.raises(ProjectError, match=r"'pkg/\.wh\.data' can't go in"):
        tree_of(folder, workspace)


def test_a_link_to_itself_is_refused(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    (folder / "pkg" / "loop").symlink_to("loop")
    with pytest.raises(ProjectError, match="'pkg/loop' leads to nothing"):
        tree_of(folder, workspace)


def test_a_link_to_a_folder_above_does_not_go_round_for_ever(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    (folder / "pkg" / "again").symlink_to(".")
    assert tree_of(folder, workspace).code.tree.entries["/app/pkg/again"] == Symlink(".")


def test_a_link_to_what_stays_behind_is_refused_with_the_setting(
    make_project: MakeProject, workspace: Workspace
) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", "shared/x": ""})
    (folder / "pkg" / "x").symlink_to("../shared/x")
    with pytest.raises(ProjectError, match="not in the image") as raised:
        tree_of(folder, workspace)
    assert "resources = ['shared/x']" in raised.value.step


def test_a_socket_is_refused_by_name(
    make_project: MakeProject, workspace: Workspace, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    monkeypatch.chdir(folder)  # a socket's whole path may have 107 bytes and no more
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("pkg/s.sock")
        with pytest.raises(ProjectError, match=r"'pkg/s.sock' is a socket"):
            tree_of(folder, workspace)


def test_a_pipe_is_refused_by_name(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    os.mkfifo(folder / "pkg" / "pipe")
    with pytest.raises(ProjectError, match="'pkg/pipe' is a pipe"):
        tree_of(folder, workspace)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root makes devices")
def test_a_device_is_refused_by_name(make_project: MakeProject, workspace: Workspace) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": ""})
    os.mknod(folder / "pkg" / "null", 0o020666, os.makedev(1, 3))
    with pytest.raises(ProjectError, match="'pkg/null' is a device"):
        tree_of(folder, workspace)


PEM = "-----BEGIN RSA PRIVATE KEY-----\nMIIEow\n-----END RSA PRIVATE KEY-----\n"


@pytest.mark.parametrize(
    ("name", "text", "kind"),
    [
        (".env", "PASSWORD=1", "settings with passwords"),
        (".env.production", "PASSWORD=1", "settings with passwords"),
        (".git/config", "", "history"),
        ("server.key", PEM, "a private key"),
        ("id_ed25519", "", "a private key"),
        ("pip.conf", "[global]\nindex-url = https://me:secret@pypi.example/simple\n", "index's password"),
        (".netrc", "", "passwords"),
    ],
)
def test_secrets_are_refused_unless_they_are_allowed_by_name(
    make_project: MakeProject, workspace: Workspace, name: str, text: str, kind: str
) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", f"pkg/{name}": text})
    with pytest.raises(ProjectError, match="secrets were about to go") as raised:
        tree_of(folder, workspace)
    assert raised.value.evidence.startswith(f"pkg/{name}:")
    assert kind in raised.value.evidence
    assert "secret@" not in str(raised.value)
    make_project({"pyproject.toml": f'[tool.cannery]\nallow-secrets = ["pkg/{name}"]\n'})
    assert f"/app/pkg/{name}" in paths(folder, workspace)


@pytest.mark.parametrize(
    ("name", "text"),
    [
        (".env.example", "PASSWORD="),
        ("public.pem", "-----BEGIN CERTIFICATE-----\n"),
        ("pip.conf", "[global]\nindex-url = https://pypi.example/simple\n"),
    ],
)
def test_what_only_resembles_a_secret_goes_in(
    make_project: MakeProject, workspace: Workspace, name: str, text: str
) -> None:
    folder = make_project({"main.py": "import pkg", "pkg/__init__.py": "", f"pkg/{name}": text})
    assert f"/app/pkg/{name}" in paths(folder, workspace)

"""What leads to what, on small trees."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from cannery.errors import ConfigurationError
from cannery.imports.analysis import reach
from cannery.imports.model import Host, Reach, Reason
from tests.support.places import place_of

if TYPE_CHECKING:
    from cannery.workspace.workspace import Workspace

pytestmark = pytest.mark.once

HOST = Host((3, 11, 7), frozenset({"sys", "_decimal", "_warnings"}), ("sys",))
STDLIB = {
    "os.py": "",
    "warnings.py": "",
    "decimal.py": "try:\n from _decimal import *\nexcept ImportError:\n from _pydecimal import *",
    "_pydecimal.py": "",
    "test/__init__.py": "",
    "doctest.py": "from test import support",
    "importlib/__init__.py": "",
    "importlib/readers.py": "",
    "zipimport.py": "class z:\n def get_resource_reader(self, name):\n  from importlib.readers import R",
    "encodings/__init__.py": "",
    "encodings/cp437.py": "",
    "logging/__init__.py": "",
    "logging/handlers.py": "",
    "_strings.py": "x = 'logging.handlers', 'cp437'",
}


@pytest.fixture
def reached(workspace: Workspace) -> Analysis:
    return Analysis(workspace)


class Analysis:
    """Analyses apps of a few lines."""

    def __init__(self, workspace: Workspace) -> None:
        self.workspace = workspace

    def __call__(
        self,
        main: str,
        wheels: dict[str, str],
        own: dict[str, str] | None = None,
        *include: str,
        library: dict[str, str] | None = None,
    ) -> Reach:
        places = [
            place_of("app", "/app", {"main.py": main, **(own or {})}),
            place_of("stdlib", "/lib", {**STDLIB, **(library or {})}),
            place_of("dependencies", "/site", wheels),
        ]
        return reach(places, [], HOST, self.workspace, script="/app/main.py", include=include)


def test_what_is_imported_is_there_with_its_packages_and_the_reason_why(reached: Analysis) -> None:
    wheels = {"a/__init__.py": "", "a/b/__init__.py": "", "a/b/c.py": "from .. import d", "a/d.py": "", "a/e.py": ""}
    found = reached("import a.b.c", wheels)
    assert set(found.modules) == {"__main__", "sys", "a", "a.b", "a.b.c", "a.d"}
    assert {"a.e", "decimal", "_decimal"} <= set(found.left_out)
    assert found.why("a.d") == (
        ("a.d", Reason("a.b.c", "imported")), ("a.b.c", Reason("__main__", "imported")),
        ("__main__", Reason("", "started")),
    )  # fmt: skip
    assert found.paths == {
        "/app/main.py",
        "/site/a/__init__.py",
        "/site/a/b/__init__.py",
        "/site/a/b/c.py",
        "/site/a/d.py",
    }


def test_what_cannot_be_imported_is_there_all_the_same_so_that_python_says_what_it_lacks(reached: Analysis) -> None:
    wheels = {
        "server/__init__.py": "WORKERS = {'sync': 'server.sync.Worker', 'green': 'server.green.Worker'}",
        "server/sync.py": "",
        "server/green.py": "import greenest\nfrom . import helper",
        "server/helper.py": "",
    }
    found = reached("import server", wheels)
    assert {"server", "server.sync", "server.green"} <= set(found.modules)
    assert found.broken == {"server.green": "greenest"}


def test_what_the_app_needs_and_nobody_has_is_missing(reached: Analysis) -> None:
    found = reached("import nowhere\ntry:\n import maybe\nexcept ImportError: ...", {})
    assert found.missing["nowhere"].needed
    assert not found.missing["maybe"].needed
    assert found.missing["maybe"].importers == ("__main__",)


def test_a_name_in_a_string_counts_once_its_package_is_reached(reached: Analysis) -> None:
    wheels = {"a.py": "x = 'b.c:d'", "b/__init__.py": "", "b/c.py": ""}
    assert "b.c" not in reached("import a", wheels).modules
    assert "b.c" in reached("import a, b", wheels).modules
    assert "b.c" in reached("x = 'b.c:d'", wheels).modules  # the app's own strings may name anything


def test_python_s_own_strings_name_nothing_of_others_and_the_app_s_do(reached: Analysis) -> None:
    assert "logging.handlers" not in reached("import logging, _strings", {}).modules
    assert "logging.handlers" in reached("import logging\nx = 'logging.handlers.SysLogHandler'", {}).modules


def test_modules_loaded_by_name_are_found_in_their_own_package(reached: Analysis) -> None:
    wheels = {
        "lazy/__init__.py": "NAMES = ['one', '.two']\ndef __getattr__(name): return import_module(x)",
        "lazy/one.py": "", "lazy/two.py": "", "lazy/three.py": "",
        "whole/__init__.py": "import_module(f'.{x}', __name__)", "whole/one.py": "", "whole/two.py": "",
        "stub/__init__.py": "lazy_loader.attach_stub(__name__, __file__)", "stub/one.py": "", "stub/two.py": "",
        "stub/__init__.pyi": "from . import one", "tool/__init__.py": "def get(*names): return import_module(x)",
        "theirs/__init__.py": "import tool\nNAMES = {'X': 'one', 'Y': 'part.two'}\n"
        "def __getattr__(name):\n return tool.get(name, NAMES.get(name), __spec__.parent)",
        "made/__init__.py": "if TYPE_CHECKING:\n from .one import A\nelse:\n import tool\n"
        " __all__, __getattr__ = tool.lazy(__name__, ['.part'], ['.one.A'])",
        "made/one.py": "", "made/part/__init__.py": "", "made/other.py": "",
        "theirs/one.py": "", "theirs/part/__init__.py": "", "theirs/part/two.py": "", "theirs/three.py": "",
    }  # fmt: skip
    reach = reached("import lazy, whole, stub, theirs, made", wheels)
    found = set(reach.modules)
    assert {"lazy.one", "lazy.two", "whole.one", "whole.two", "stub.one", "theirs.one", "theirs.part.two"} <= found
    assert {"made.one", "made.part"} <= found
    assert not {"lazy.three", "stub.two", "theirs.three", "made.other"} & found
    assert "/site/stub/__init__.pyi" in reach.data


def test_a_module_that_another_is_put_in_the_place_of_has_the_modules_of_that(reached: Analysis) -> None:
    wheels = {
        "grpc/__init__.py": "from grpc.common import one", "grpc/v6/__init__.py": "", "grpc/v6/one.py": "",
        "grpc/v6/two.py": "",
        "grpc/common/__init__.py": "import sys\nif x:\n from grpc.v6 import *\n"
        " sys.modules['grpc.common'] = sys.modules['grpc.v6']",
    }  # fmt: skip
    found = set(reached("import grpc", wheels).modules)
    assert "grpc.v6.one" in found
    assert "grpc.v6.two" not in found


def test_entry_points_are_reached_when_somebody_asks_for_their_group(reached: Analysis) -> None:
    wheels = {
        "host.py": "entry_points(group='host.plugins')",
        "plugin.py": "",
        "plugin-1.dist-info/entry_points.txt": "[host.plugins]\nx = plugin:f\n[console_scripts]\ny = other:f\n",
        "other.py": "",
    }
    found = reached("import host", wheels).modules
    assert found["plugin"].reason == Reason("host", "entry point")
    assert "other" not in found
    assert "plugin" not in reached("x = 1", wheels).modules


@pytest.mark.parametrize(
    "main",
    [
        "G = 'plugins'\nfor d in distributions():\n for e in d.entry_points:\n  e.group == G",
        "import host\nhost.load_entry_points('plugins')",
    ],
)
def test_a_group_may_have_a_name_of_one_word_and_be_handed_to_others(reached: Analysis, main: str) -> None:
    wheels = {"host.py": "", "plugin.py": "", "plugin-1.dist-info/entry_points.txt": "[plugins]\nx = plugin:f"}
    assert "plugin" in reached(main, wheels).modules


def test_an_entry_point_that_is_asked_for_may_be_a_module_s_command_line(reached: Analysis) -> None:
    wheels = {
        "plugin.py": "def main():\n import parser\nif __name__ == '__main__':\n main()",
        "plugin-1.dist-info/entry_points.txt": "[host.plugins]\nx = plugin:main [extra]\n",
        "parser.py": "",
    }
    assert "parser" in reached("entry_points(group='host.plugins')", wheels).modules
    assert "parser" not in reached("import plugin", wheels).modules


def test_codecs_are_reached_by_their_names(reached: Analysis) -> None:
    assert "encodings.cp437" in reached("open(x, encoding='437')", {}).modules
    for main in ("E = 'cp437'", "f(x, 'cp437')", "for e in ('utf-8', 'cp437'): f(e)", "p.add(default='cp437')"):
        assert "encodings.cp437" in reached(main, {}).modules
    assert "encodings.cp437" in reached("import a", {"a.py": "T = {'cp437': 1}"}).modules
    assert "encodings.cp437" not in reached("import _strings", {}).modules


def test_the_pure_form_of_what_the_interpreter_has_stays_behind(reached: Analysis) -> None:
    found = reached("import decimal", {}).modules
    assert "_decimal" in found
    assert "_pydecimal" not in found


def test_the_app_s_own_modules_are_all_there(reached: Analysis) -> None:
    found = reached("", {}, {"own/__init__.py": "", "own/plugin.py": "import logging"}).modules
    assert found["own.plugin"].reason == Reason("", "own")
    assert "logging" in found


def test_what_the_configuration_includes_is_there(reached: Analysis) -> None:
    wheels = {"a/__init__.py": "", "a/b.py": "", "a/c.py": ""}
    found = reached("", wheels, {}, "a.*", "doctest")
    assert {"a", "a.b", "a.c"} <= set(found.modules)
    with pytest.raises(ConfigurationError, match=r"did you mean 'a\.b'"):
        reached("", wheels, {}, "a.bb")


def test_what_is_included_is_there_though_it_cannot_be_imported(reached: Analysis) -> None:
    wheels = {"a/__init__.py": "", "a/b.py": "import nowhere", "c.py": "raise ImportError"}
    assert {"a.b", "c"} <= set(reached("import a", wheels, {}, "a.b", "c").modules)


def test_the_program_s_own_module_is_never_missing(reached: Analysis) -> None:
    found = reached("import a", {"a.py": "import __main__"})
    assert not found.broken
    assert not found.missing


def test_modules_are_looked_for_in_folders_that_a_package_puts_on_the_path(reached: Analysis) -> None:
    wheels = {
        "tool/__init__.py": "import sys\nsys.path.append(join(dirname(__file__), 'parts'))\nfrom text.more import x",
        "tool/parts/text/more.py": "import lines", "tool/parts/lines.py": "", "tool/other/lines.py": "",
        "tool/parts/none.py": "",
    }  # fmt: skip
    found = reached("import tool", wheels)
    assert {"tool.parts.text.more", "tool.parts.lines"} <= set(found.modules)
    assert not {"tool.other.lines", "tool.parts.none"} & set(found.modules)
    assert not found.missing
    still = reached("import tool", {**wheels, "tool/__init__.py": "FOLDER = 'parts'\nfrom text.more import x"})
    assert set(still.missing) == {"text.more"}


def test_a_finder_of_a_package_s_own_may_put_another_package_in_the_place_of_one(reached: Analysis) -> None:
    wheels = {
        "shim.py": "sys.meta_path.insert(0, Finder)\nx = 'logging'\ndef f(): return import_module('tool.own')",
        "tool/__init__.py": "import shim, logging.handlers, logging.gone", "tool/own/__init__.py": "",
        "tool/own/handlers.py": "", "tool/own/gone.py": "", "tool/own/other.py": "",
    }  # fmt: skip
    found = reached("import sys, tool", {**wheels, "shim.py": f"import sys\n{wheels['shim.py']}"}).modules
    assert {"tool.own.handlers", "tool.own.gone"} <= set(found)
    assert "tool.own.other" not in found


def test_a_finder_may_supply_modules_below_a_package_that_it_makes(reached: Analysis) -> None:
    wheels = {
        "tool.py": "import sys\nsys.meta_path.append(F())\ndef get(n): __import__(n)\nget('plain'), get('far.off')"
    }
    wheels |= {"plain.py": "", "far/__init__.py": "", "far/off.py": "", "other.py": ""}
    found = reached("from tool.moves import plain\nimport tool.moves.far.off\nfrom tool.moves import other", wheels)
    assert {"plain", "far.off"} <= set(found.modules)
    assert "other" not in found.modules


def test_a_finder_may_supply_what_lies_below_its_own_module(reached: Analysis) -> None:
    wheels = {
        "tool/__init__.py": "from tool.extern import text\nimport tool.extern.lines.more",
        "tool/extern/__init__.py": "import sys\nsys.meta_path.append(Finder(__name__))",
        "tool/vendor/__init__.py": "", "tool/vendor/text.py": "", "tool/vendor/lines/__init__.py": "",
        "tool/vendor/lines/more.py": "", "tool/vendor/other.py": "",
    }  # fmt: skip
    found = reached("import tool", wheels)
    assert {"tool.vendor.text", "tool.vendor.lines.more"} <= set(found.modules)
    assert "tool.vendor.other" not in found.modules
    assert not found.broken


def test_what_a_pth_file_imports_is_there_where_python_reads_such_files(reached: Analysis) -> None:
    wheels = {"a.pth": "folder\nimport os; f = x and __import__('shim').f()", "shim.py": "", "folder/b.py": ""}
    assert "shim" not in reached("", wheels).modules
    places = [place_of("app", "/app", {}), place_of("dependencies", "/site", wheels)]
    found = reach(places, [], Host((3, 11, 7), frozenset(), ("site",)), reached.workspace)
    assert found.modules["shim"].reason == Reason("", "start-up")


HOOK = {
    "a.pth": "import hook",
    "hook.py": "import importlib\ndef f(): importlib.import_module('tool._shim'), importlib.import_module('shimmed')",
    "tool/__init__.py": "",
    "tool/_shim.py": "",
}


@pytest.mark.parametrize(
    ("main", "there"), [("", False), ("import shimmed", True), ("import tool", True), ("import other", False)]
)
def test_what_a_hook_of_the_start_has_for_others_goes_in_where_somebody_asks(
    reached: Analysis, main: str, there: bool
) -> None:
    places = [place_of("app", "/app", {"main.py": main}), place_of("dependencies", "/site", {**HOOK, "other.py": ""})]
    host = Host((3, 11, 7), frozenset(), ("site",))
    found = reach(places, [], host, reached.workspace, script="/app/main.py").modules
    assert "hook" in found
    assert ("tool._shim" in found) == there


def test_a_folder_that_a_pth_file_names_is_looked_into(reached: Analysis) -> None:
    wheels = {"a.pth": "inner/folder\nnowhere\n", "inner/folder/b.py": "", "other/c.py": ""}
    found = reached("import b, c", wheels)
    assert found.modules["b"].path == "/site/inner/folder/b.py"
    assert set(found.missing) == {"c"}


def test_what_pickled_data_names_is_there(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "", "a/one.pkl": "cb\nThing\nq", "b.py": "", "c.py": "",
        "a/two.pickle": "\x80\x04\x8c\x01c\x94\x8c\x05Thing\x94\x93", "d/__init__.py": "",
        "d/x.pkl": "ce\nX\n", "e.py": "",
    }  # fmt: skip
    found = reached("import a", wheels).modules
    assert found["b"].reason == found["c"].reason == Reason("a", "pickled")
    assert "e" not in found
    assert "e" in reached("", wheels, {"model.pkl": "ce\nX\n"}).modules


def test_what_is_completed_elsewhere_means_any_module_of_that_package(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "PLACES = ['a.land.%s']\nfor x in PLACES:\n try:\n  import_module('%s.forms' % (x % y))\n"
        " except ImportError: ...",
        "a/land/__init__.py": "", "a/land/de/__init__.py": "", "a/land/de/forms.py": "", "a/land/de/other.py": "",
    }  # fmt: skip
    found = reached("import a", wheels).modules
    assert "a.land.de.forms" in found
    assert "a.land.de.other" not in found


def test_modules_of_packages_that_the_app_names_are_discovered_by_the_name_that_is_handed_on(
    reached: Analysis,
) -> None:
    wheels = {
        "a/__init__.py": "from b import discover\ndiscover('admin')",
        "b.py": "def discover(*names):\n for name in names:\n  import_module('%s.%s' % (app, name))",
        "c/__init__.py": "", "c/admin.py": "", "c/other.py": "", "d/__init__.py": "", "d/admin.py": "",
    }  # fmt: skip
    found = reached("import a\nAPPS = ['c']", wheels).modules
    assert "c.admin" in found
    assert not {"c.other", "d.admin"} & set(found)


def test_packages_that_strings_name_are_listed_by_a_module_of_theirs_that_lists_any(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "import a.loading\nPLACES = ['a.parts']", "a/parts/__init__.py": "",
        "a/parts/one/__init__.py": "",
        "a/loading.py": "def f(m): return [import_module(x) for x in pkgutil.iter_modules([m])]",
        "a/parts/one/de.py": "", "a/other/__init__.py": "", "a/other/two.py": "",
    }  # fmt: skip
    found = reached("import a", wheels).modules
    assert {"a.parts.one", "a.parts.one.de"} <= set(found)
    assert "a.other.two" not in found


def test_what_looks_like_code_is_data_where_the_package_reads_it(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "open(f'{x}/form.c'), f'{y}.pyi'", "a/form.c": "", "a/other.c": "", "a/b.pyi": "", "a/x.h": "",
        "a/libx.so": "", "a/y.so": "PyInit_y",
    }  # fmt: skip
    assert reached("import a", wheels).data == ("/site/a/b.pyi", "/site/a/form.c", "/site/a/libx.so")


def test_data_goes_with_its_package(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "", "a/data.json": "", "a/deep/table.csv": "", "a/native.c": "", "a/py.typed": "",
        "b/__init__.py": "", "b/data.json": "",
    }  # fmt: skip
    assert reached("import a", wheels).data == ("/site/a/data.json", "/site/a/deep/table.csv")


def test_a_package_of_nothing_but_data_goes_with_the_one_that_it_lies_in(reached: Analysis) -> None:
    wheels = {
        "a/__init__.py": "", "a/zones/__init__.py": "", "a/zones/one": "", "a/zones/in/__init__.py": "'A docstring.'",
        "a/zones/in/two": "", "a/code/__init__.py": "import b", "a/code/three": "", "a/tests/__init__.py": "",
        "a/tests/four": "", "a/tests/test.py": "", "b/__init__.py": "", "b/five": "",
    }  # fmt: skip
    found = reached("import a", wheels)
    assert found.modules.keys() >= {"a", "a.zones", "a.zones.in"}
    assert not found.modules.keys() & {"a.code", "a.tests", "b"}
    assert {"/site/a/zones/one", "/site/a/zones/in/two"} <= set(found.data)


def test_modules_whose_names_begin_alike_are_reached_where_the_rest_is_made_at_run_time(reached: Analysis) -> None:
    wheels = {f"a/{name}.py": "" for name in ("__init__", "_one", "_two", "three")}
    found = reached("import importlib, a\nimportlib.import_module(f'a._{name}')", wheels)
    assert found.modules.keys() & {"a._one", "a._two", "a.three"} == {"a._one", "a._two"}


@pytest.mark.parametrize(
    ("main", "there"),
    [
        ("import spawning, a\n__import__('a')", False),  # which runs the program again, and nothing else
        ("import runpy, a\nrunpy.run_module(a.NAME)\n__import__('a')", True),
        ("import spawning, a, subprocess\nsubprocess.run([PYTHON, '-m', 'a'])", True),
    ],
    ids=["asked by Python's own", "asked by the program", "a command"],
)
def test_a_package_that_python_itself_would_run_is_only_run_for_others(
    reached: Analysis, main: str, *, there: bool
) -> None:
    wheels = {"a/__init__.py": "", "a/__main__.py": ""}
    library = {"spawning.py": "import runpy", "runpy.py": "def f(name):\n __import__(name + '.__main__')"}
    found = reached(main, wheels, library=library)
    assert ("a.__main__" in found.modules) == there


def test_what_is_loaded_after_the_name_of_a_package_is_looked_for_in_those_that_strings_name(reached: Analysis) -> None:
    wheels = {f"a/{name}.py": "" for name in ("__init__", "one", "part/__init__", "other/__init__")} | {
        f"a/{part}/{name}.py": ""
        for part in ("part", "other")
        for name in ("base", "other", "jobs/__init__", "jobs/run")
    }
    main = "names = ['a.part']\nimport importlib, a.other\nimportlib.import_module({})"
    assert "a.part" in (found := reached(main.format("x + '.base'"), wheels).modules)
    assert found.keys() & {"a.part.base", "a.part.other", "a.other.base"} == {"a.part.base"}
    found = reached(main.format("f'{x}.jobs.{y}'"), wheels).modules
    assert {name for name in found if "jobs" in name} == {"a.part.jobs", "a.part.jobs.run"}
    found = reached(main.format("f'{x}.jobs'") + "\npkgutil.iter_modules(m.__path__)", wheels).modules
    assert {name for name in found if "jobs" in name} == {"a.part.jobs", "a.part.jobs.run"}


def test_a_module_may_have_a_name_that_no_statement_can_import(reached: Analysis) -> None:
    files = {
        "a/__init__.py": "",
        "a/0001_initial.py": "",
        "a/table-8.py": "",
        "a/b.c.py": "",
        "2nd.py": "",
        "a/d.py": "",
    }
    own = reached("import a", {}, files).modules
    assert own.keys() >= {"a.0001_initial", "a.table-8"}
    assert not own.keys() & {"2nd", "a.b.c"}
    assert set(reached("import a", files).modules) == {"__main__", "sys", "a", "a.0001_initial", "a.table-8"}


def test_a_method_that_only_certain_callers_know_brings_what_it_imports(reached: Analysis) -> None:
    assert "importlib.readers" not in reached("import zipimport", {}).modules
    assert "importlib.readers" in reached("import zipimport\nloader.get_resource_reader(name)", {}).modules


def test_namespace_packages_are_found(reached: Analysis) -> None:
    found = reached("import space.part.module", {"space/part/module.py": ""})
    assert found.modules["space.part"].kind == "namespace"
    assert found.modules["space.part.module"].path == "/site/space/part/module.py"


def test_it_is_remembered_and_found_anew_when_something_changes(reached: Analysis) -> None:
    wheels = {"a.py": "import b", "b.py": ""}
    first = reached("import a", wheels)
    assert reached("import a", wheels) == first
    assert set(reached("import a", {**wheels, "a.py": ""}).modules) == set(first.modules) - {"b"}


@pytest.mark.parametrize(
    "main", ["import lazily\nlazily.One", "from lazily import One", "import lazily\ngetattr(lazily, 'One')",
             "from lazily import *", "import other, lazily", "import lazily\nx = 'lazily.One'",
             "import lazily\nx = 'lazily:One'"],
)  # fmt: skip
def test_what_makes_an_attribute_is_reached_once_somebody_may_ask_for_it(reached: Analysis, main: str) -> None:
    text = (
        "def __getattr__(name):\n if name == 'One':\n  from .one import One\n if name == 'Two':\n  from .two import Two"
    )
    wheels = {
        "lazily/__init__.py": f"__all__ = ['One']\n{text}", "lazily/one.py": "", "lazily/two.py": "import lazily",
        "other.py": "import lazily\nx = lazily.One",
    }  # fmt: skip
    assert "lazily.one" in reached(main, wheels).modules
    star = "*" in main  # which takes what it's told, and __all__ might be made longer
    assert ("lazily.two" in reached(main, wheels).modules) == star
    assert reached("import lazily", wheels).modules.keys() & {"lazily.one", "lazily.two"} == set()


def test_whoever_asks_for_a_name_that_cannot_be_read_may_mean_any(reached: Analysis) -> None:
    wheels = {"lazily.py": "def __getattr__(name):\n if name == 'One':\n  import one", "one.py": ""}
    assert "one" in reached("import lazily as l\ngetattr(l, name)", wheels).modules
    assert "one" not in reached("import lazily\ngetattr(other, name)", wheels).modules


def test_a_module_may_ask_itself_by_its_own_name(reached: Analysis) -> None:
    text = "def __getattr__(name):\n if name == 'One':\n  import one\n"
    assert "one" in reached("import lazily", {"lazily.py": f"{text}from lazily import One", "one.py": ""}).modules


@pytest.mark.parametrize(
    ("main", "asks"),
    [
        ("import tool\ntool.main()", True), ("from tool import main", True),
        ("import other as tool\ntool.main()", False), ("import tool, other\nother.main()", False),
        ("import tool\nwith_it(tool).main()", True), ("import tool, other\nother.tool.main()", True),
    ],
)  # fmt: skip
def test_a_command_line_of_a_module_is_reached_where_somebody_may_call_it(
    reached: Analysis, main: str, *, asks: bool
) -> None:
    wheels = {
        "tool.py": "def main():\n import parser\nif __name__ == '__main__':\n main()", "parser.py": "",
        "other.py": "import tool\ndef main(): pass",
    }  # fmt: skip
    assert ("parser" in reached(main, wheels).modules) == asks


@pytest.mark.parametrize(
    ("loader", "opened"),
    [
        ("from importlib import machinery\nfrom ctypes import CDLL\nENDS = machinery.EXTENSION_SUFFIXES", True),
        ("from importlib.machinery import EXTENSION_SUFFIXES\ndef load(path):\n return ffi.dlopen(path)", True),
        ("from importlib.machinery import EXTENSION_SUFFIXES", False),
        ("from ctypes import CDLL", False),
    ],
)
def test_a_package_may_open_its_extension_modules_as_libraries(reached: Analysis, loader: str, *, opened: bool) -> None:
    wheels = {"a/__init__.py": f"{loader}\nload('a.b')", "a/b.abi3.so": "PyInit_b", "c.abi3.so": "PyInit_c"}
    found = reached("import a, c", wheels)
    assert found.modules["a.b"].kind == "extension"
    assert found.opened == (("/site/a/b.abi3.so",) if opened else ())

"""What is read of expressions: calls that load modules, and strings that may name some."""

from __future__ import annotations

import pytest

from tests.support.sources import imported_by, read

pytestmark = pytest.mark.once


def test_calls_that_import_by_name_count_as_imports() -> None:
    source = """
        import_module("a.b")
        importlib.import_module(".c", __package__)
        importlib.import_module(".d", package="e")
        __import__("f", fromlist=["g"])
        importlib.util.find_spec("h")
    """
    assert imported_by(source) == {"a.b", ".c", "e.d", "f", "h"}


def test_a_name_that_is_put_together_means_any_module_in_its_package() -> None:
    for expression in ('"a.b." + x', 'f"a.b.{x}"', '"a.b.%s" % x', '"a.b.{}".format(x)', '".".join(["a.b", x])'):
        assert read(f"import_module({expression})").below == {"a.b."}
    for expression in ('"a.b.c_" + x', 'f"a.b.c_{x}"', '"a.b.c_%s" % x', '"a.b.c_{}".format(x)'):
        assert read(f"import_module({expression})").below == {"a.b.c_"}
    assert read('import_module("." + x, __name__)').below == {"."}
    assert read('import_module(x); y = ".z_" + z').below == {".z_"}
    assert read('import_module(x); y = "." + z, "".join([a, b]), "{}".format(c)').below == frozenset()
    assert read('x = "a.b." + y').below == frozenset()  # nothing is loaded by name here


@pytest.mark.parametrize(
    ("expression", "after"),
    [
        ("'%s.base' % x", ".base"), ("x + '.base'", ".base"), ("f'{x}.base'", ".base"),
        ("'{}.base'.format(x)", ".base"),
        ("'%s.%s' % (x, NAME)", ".models"), ("f'{x.y}.{NAME}'", ".models"), ("x + '.' + NAME", ".models"),
        ("'%s.in.%s' % (x, y)", ".in."), ("f'{x}.in.{y}'", ".in."),
    ],
)  # fmt: skip
def test_what_is_put_after_a_name_is_known(expression: str, after: str) -> None:
    assert read(f"NAME = 'models'\nimport_module({expression})").after == {after}
    assert read(f"import_module(x)\ny = {expression.replace('NAME', 'z')}").after <= {after}
    assert not read(f"NAME = 'models'\nx = {expression}").after  # nothing is loaded by name here


def test_parts_that_are_known_make_one_name() -> None:
    found = read("A = 'a.b'\nimport_module(f'{A}.c_{x}')\nimport_module(A + '.d')")
    assert found.below == {"a.b.c_"}
    assert "a.b.d" in found.dotted
    assert not found.dynamic


def test_what_is_put_after_a_name_and_is_none_of_a_module_is_not_kept() -> None:
    source = "import_module(x)\nf'{x}.{y}', x + '/a.b', '%s %s.c' % (x, y), '%s.d' % (x, y), '%(x)s.e' % x, f'{x}. f'"
    assert not read(source).after


def test_lines_that_load_what_cannot_be_read_are_noted() -> None:
    assert read("\nimport_module(x)\nimport_module('a')").dynamic == (2,)


def test_strings_that_may_name_modules_are_kept_and_docstrings_are_not() -> None:
    source = '"""a.docstring"""\nx = {"key": ["a.b.C", "d.e:f", "some text.", "a"]}\ndef f(y="g.h"): ...'
    found = read(source)
    assert found.dotted == {"a.b.C", "d.e:f", "g.h"}
    assert not found.words
    assert "short" in read('import_module(x)\ny = "short"').words


def test_encodings_are_known_by_where_they_stand() -> None:
    source = """
        open(x, encoding="cp437")
        y.decode("utf-16")
        str(y, "punycode")
        def f(charset="koi8-r"): ...
        default_encoding = "latin-2"
        other = "johab"
        y.decode(x or "cp850")
        y.encode(encoding="cp852" if x else "cp855")
        E = "hz"
        y.encode(E)
    """
    assert read(source).codecs == {
        "cp437", "utf-16", "punycode", "koi8-r", "latin-2", "cp850", "cp852", "cp855", "hz",
    }  # fmt: skip


def test_looking_into_its_own_folder_means_any_of_its_modules() -> None:
    assert read("for x in pkgutil.iter_modules(__path__): ...").below == {"."}
    assert read("pkgutil.walk_packages([os.path.dirname(__file__)])").below == {"."}
    assert read("pkgutil.walk_packages(other.__path__)").below == frozenset()


def test_looking_into_the_folder_of_an_imported_package_means_any_of_its_modules() -> None:
    assert read("import plugins\npkgutil.iter_modules(plugins.__path__, 'plugins.')").below == {"plugins."}
    assert read("from a import b as c\npkgutil.walk_packages(c.__path__)").below == {"a.b."}


def test_attributes_are_names_after_dots_and_from_and_strings_alone() -> None:
    found = read("""
        __all__ = ["no"]
        import m.n, p as q
        from a import b as c
        from . import d
        x.y.z(getattr(o, "e"), "not one")
        m.n.f(c.g, q.h.i, j)
    """)
    assert found.attributes == {"a.b", "d", "y", "z", "e", "m.n", "m.n.f", "a.b.g", "p.h", "p.h.i"}


def test_dotted_strings_and_names_that_cannot_be_read_ask_for_attributes_too() -> None:
    found = read("""
        import a.b as c
        from d import e
        x = ["f.g.H", "i.j:k"]
        getattr(c, name), getattr(e, name), getattr(unknown, name), getattr(c, "l")
    """)
    assert found.attributes == {"d.e", "f.g.H", "i.j.k", "a.b.*", "d.e.*", "l"}

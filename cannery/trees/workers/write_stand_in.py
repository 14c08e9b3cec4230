"""Run by the app's own interpreter: writes a stand-in for a module, whose name is an argument, to standard output.

A stand-in has the module's constants, enumerations and exceptions, so that what imports it and never uses it goes on
working; whatever does something raises an ImportError that names the setting.
"""

import enum
import importlib
import inspect
import sys
from collections.abc import Iterator

HEAD = '''\
"""Stands where {name} was left out."""


def _absent(*_arguments, **_options):
    raise ImportError("{name} isn't in this program: {setting} names it", name="{name}")
'''
# urllib.request asks for a context before it knows of which kind an address is: it mustn't fail for those of http.
ALSO = {
    "ssl": '''

class _NoContext:
    """Serves no connection."""

    post_handshake_auth = None

    def set_alpn_protocols(self, protocols):
        """No protocol is ever agreed on."""

    def __getattr__(self, name):
        _absent()


def _create_default_https_context():
    return _NoContext()
'''
}
PLAIN = (bool, int, float, str, bytes, type(None))


def lines(module: object) -> Iterator[str]:
    """The statements that stand for what is in ``module``."""
    found = {key: value for key, value in vars(module).items() if not key.startswith("__")}
    classes = {key: value for key, value in found.items() if isinstance(value, type) and value.__name__ == key}
    for key, value in sorted(classes.items(), key=lambda item: (len(item[1].__mro__), item[0])):
        yield from class_lines(key, value, set(classes))
    for key, value in sorted(found.items()):
        if key in classes or inspect.ismodule(value):
            continue
        if isinstance(value, PLAIN):
            plain = int(value) if isinstance(value, int) and not isinstance(value, bool) else value
            yield f"{key} = {plain!r}"
        elif isinstance(value, type) and value.__name__ in classes:
            yield f"{key} = {value.__name__}"
        elif callable(value):
            yield f"{key} = _absent"


def class_lines(key: str, value: type, known: "set[str]") -> Iterator[str]:
    """A class: an exception that can be caught, an enumeration's numbers, or one that can't be made."""
    if issubclass(value, BaseException):
        bases = [base.__name__ for base in value.__mro__[1:] if base.__name__ in known or base.__module__ == "builtins"]
        yield f"class {key}({bases[0]}): pass"
    elif issubclass(value, enum.Enum):
        yield f"class {key}:"
        for name, member in value.__members__.items():
            yield f"    {name} = {member.value if isinstance(member.value, int) else name!r}"
        yield "    __new__ = _absent"
    else:
        yield f"class {key}: __new__ = _absent"


def main(name: str, setting: str) -> None:
    """Write the stand-in for the module ``name``, which the ``setting`` of that name leaves out."""
    module = importlib.import_module(name)
    sys.stdout.write("\n".join([HEAD.format(name=name, setting=setting), "", *lines(module), ALSO.get(name, "")]))


main(*sys.argv[1:])

"""Run by the app's own interpreter: writes a stand-in for a module, whose name is an argument, to standard output.

A stand-in has each of the module's names, so that what imports it and never uses it goes on working: its constants and
exceptions as they are, classes that can be named, inherited from and asked for, and that have the attributes of the
real ones; whatever does something raises an ImportError that names the setting.
"""

import builtins
import enum
import importlib
import inspect
import keyword
import sys
from collections.abc import Iterator

HEAD = '''\
"""Stands where {name} was left out."""


def _absent(*_arguments, **_options):
    raise ImportError("{name} isn't in this program: {setting} names it", name="{name}")
'''
# What is neither a class nor a function nor a constant: a name that can be handed on, and is good for nothing else.
OBJECT = """

class _Object:
    def __getattr__(self, name):
        if name[:2] == "__":
            raise AttributeError(name)
        _absent()
    __call__ = __getitem__ = __iter__ = __len__ = __bool__ = __contains__ = _absent


_object = _Object()
"""
# A class may be asked for the type of what it holds (queue.Queue[int]).
GENERIC = "__class_getitem__ = classmethod(lambda cls, _: cls)"
# Clients make a context before they know whether anybody asks for TLS, and servers that have no certificate, too: it
# takes settings, as nothing comes of them. Who makes a connection or has a key needs TLS.
ALSO = {
    "ssl": '''

class SSLContext(SSLContext):
    """Takes settings, and serves no connection."""

    check_hostname = False
    verify_mode = CERT_NONE
    options = verify_flags = 0
    minimum_version, maximum_version = TLSVersion.MINIMUM_SUPPORTED, TLSVersion.MAXIMUM_SUPPORTED
    post_handshake_auth = keylog_filename = sni_callback = None
    sslsocket_class, sslobject_class = SSLSocket, SSLObject

    def __new__(cls, protocol=PROTOCOL_TLS, *_arguments, **_options):
        self = object.__new__(cls)
        self.protocol = protocol
        if protocol == PROTOCOL_TLS_CLIENT:
            self.check_hostname, self.verify_mode = True, CERT_REQUIRED
        return self

    def _set(self, *_arguments, **_options):
        """Nothing comes of it."""

    set_alpn_protocols = set_npn_protocols = set_ciphers = set_ecdh_curve = set_servername_callback = _set
    load_default_certs = load_verify_locations = set_default_verify_paths = load_dh_params = _set


def create_default_context(purpose=Purpose.SERVER_AUTH, **_options):
    return SSLContext(PROTOCOL_TLS_CLIENT if purpose == Purpose.SERVER_AUTH else PROTOCOL_TLS_SERVER)


def _create_unverified_context(*_arguments, **_options):
    return SSLContext()


_create_default_https_context, _create_stdlib_context = create_default_context, _create_unverified_context
'''
}
LONGEST = 500  # characters of a constant: the tables of a module that isn't there are of no use
PLAIN = (bool, int, float, str, bytes)


def lines(module: object) -> Iterator[str]:
    """The statements that stand for what is in ``module``."""
    names = {name: value for name, value in vars(module).items() if is_name(name) and not inspect.ismodule(value)}
    classes = {name: value for name, value in names.items() if isinstance(value, type) and value.__name__ == name}
    for name, value in sorted(classes.items(), key=lambda item: (len(item[1].__mro__), item[0])):
        yield from class_lines(name, value, classes)
    values = {name: expression(value, classes) for name, value in sorted(names.items()) if name not in classes}
    if "_object" in values.values():
        yield OBJECT
    yield from (f"{name} = {value}" for name, value in values.items())


def is_name(name: str) -> bool:
    """True for what may stand in a source, and is no matter of Python's own."""
    return name.isidentifier() and not keyword.iskeyword(name) and not name.startswith("__")


def class_lines(name: str, value: type, known: "dict[str, type]") -> Iterator[str]:
    """A class: an exception that can be caught, an enumeration's numbers, or one that can't be made."""
    if issubclass(value, BaseException):
        bases = [base for base in value.__mro__[1:] if known.get(base.__name__) is base or is_builtin(base)]
        yield f"class {name}({bases[0].__name__}): pass"
        return
    bases = [base for base in value.__bases__ if known.get(base.__name__) is base]
    yield f"class {name}({', '.join(base.__name__ for base in bases)}):"
    if issubclass(value, enum.Enum):
        for member, each in value.__members__.items():
            yield f"    {member} = {each.value if isinstance(each.value, int) else member!r}"
    else:
        functions = [each for each in sorted(vars(value)) if is_name(each) and not each.startswith("_")]
        yield from (f"    {' = '.join(functions)} = _absent" for _ in functions[:1])
    if hasattr(value, "__class_getitem__"):
        yield f"    {GENERIC}"
    yield "    __new__ = _absent"


def is_builtin(value: object) -> bool:
    """True for a class that every program has."""
    return isinstance(value, type) and getattr(builtins, value.__name__, None) is value


def expression(value: object, known: "dict[str, type]") -> str:
    """The source of what stands for ``value``: itself where that is a constant or a class that is there."""
    try:
        source = constant(value, known)
    except ValueError:
        source = None
    if source is not None and len(source) <= LONGEST:
        return source
    return "_absent" if callable(value) else "_object"


def constant(value: object, known: "dict[str, type]") -> str:
    """The source of a number, a text, a class that is there, or a container of such; ValueError for anything else."""
    if isinstance(value, enum.Enum):
        value = value.value
    if value is None or value is ...:
        return repr(value)
    if isinstance(value, type):
        return class_name(value, known)
    if isinstance(value, PLAIN):
        source = repr(int(value) if isinstance(value, int) and not isinstance(value, bool) else value)
        return f"float({source!r})" if source in {"inf", "-inf", "nan"} else source
    if isinstance(value, dict):
        pairs = [f"{constant(key, known)}: {constant(each, known)}" for key, each in value.items()]
        return f"{{{', '.join(pairs)}}}"
    if isinstance(value, (tuple, list, set, frozenset)):
        return container(value, [constant(each, known) for each in value])
    raise ValueError(value)


def class_name(value: type, known: "dict[str, type]") -> str:
    """The name of a class that is there; an exception that isn't is caught by what it inherits from."""
    for base in value.__mro__ if issubclass(value, BaseException) else (value,):
        if known.get(base.__name__) is base or is_builtin(base):
            return base.__name__
    raise ValueError(value)


def container(value: object, items: "list[str]") -> str:
    """The source of a tuple, a list, or a set, which has an order here."""
    if isinstance(value, tuple):
        return f"({', '.join(items)}{',' * bool(items)})"
    if isinstance(value, list):
        return f"[{', '.join(items)}]"
    return f"{'set' if isinstance(value, set) else 'frozenset'}([{', '.join(sorted(items))}])"


def main(name: str, setting: str) -> None:
    """Write the stand-in for the module ``name``, which the ``setting`` of that name leaves out."""
    module = importlib.import_module(name)
    sys.stdout.write("\n".join([HEAD.format(name=name, setting=setting), "", *lines(module), ALSO.get(name, "")]))


main(*sys.argv[1:])

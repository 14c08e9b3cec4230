"""What Python does before its memory is written into the executable, and after a process has begun with it."""

import gc
import sys

_KEEPS_RANDOMNESS = frozenset(("random", "multiprocessing.process"))  # what they have is made anew in resume


class _NotNow(BaseException):
    """A module is to be imported when the program starts; so are those that import it."""


class _Refusing:
    """On ``sys.meta_path`` before all others: modules that are not to be imported now."""

    def __init__(self, names):
        self.names = frozenset(names)

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            raise _NotNow(name)


def prepare(wanted, refused):
    """Import the modules ``wanted`` but for those ``refused``, and leave nothing behind that is a process's own.

    Returns the variables that were asked for, the modules that could not be imported for the sake of others, and those
    that were imported, in the order in which they began.
    """
    import importlib
    import os

    asked, changed, variables = set(), set(), dict(os.environ)
    kind, watched = type(os.environ), _watched(type(os.environ), asked, changed)
    os.environ.__class__ = os.environb.__class__ = watched
    before = set(sys.modules)
    refusing = _Refusing(refused.split(","))
    sys.meta_path.insert(0, refusing)
    late = []
    for name in filter(None, wanted.split(",")):
        try:
            importlib.import_module(name)
        except _NotNow as why:
            late.append(f"{name} {why}")
    sys.meta_path.remove(refusing)
    os.environ.__class__ = os.environb.__class__ = kind
    _put_aside(changed, variables)
    _forget()
    loaded = [name for name in sys.modules if name not in before]
    return "\n".join(sorted(asked)), "\n".join(late), "\n".join(loaded)


def _watched(kind, asked, changed):
    """The class of ``os.environ`` while modules are imported, which notes what is asked for and what is changed.

    What a module asks for that was changed before is not noted: it's the same at each start. ``*`` stands for all.
    """
    from os import fsdecode

    class Watched(kind):
        def __getitem__(self, name):
            asked.update({fsdecode(name)} - changed)
            return kind.__getitem__(self, name)

        def __contains__(self, name):
            asked.update({fsdecode(name)} - changed)
            return kind.__contains__(self, name)

        def __iter__(self):
            asked.add("*")
            return kind.__iter__(self)

        def __len__(self):
            asked.add("*")
            return kind.__len__(self)

        def __setitem__(self, name, value):
            kind.__setitem__(self, name, value)
            changed.add(fsdecode(name))

        def __delitem__(self, name):
            asked.update({fsdecode(name)} - changed)
            kind.__delitem__(self, name)
            changed.add(fsdecode(name))

    return Watched


_changes = {}  # variables that modules change while they are imported, with the values; None where one is removed


def _put_aside(changed, variables):
    """Undo what modules have changed of the variables, which were ``variables``, until a process goes on."""
    import os

    for name in sorted(changed):
        _changes[name] = os.environ.pop(name, None)
        if name in variables:
            os.environ[name] = variables[name]


def _change_variables():
    import os

    for name, value in _changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value


def _forget():
    """Put back what is a process's own, or depends on the hash secret and is no dictionary or set."""
    loaded = sys.modules.get
    if random := loaded("random"):
        random.seed(0)
    if logging := loaded("logging"):
        logging._startTime = 0 if isinstance(logging._startTime, int) else 0.0
    if threading := loaded("threading"):
        threading.main_thread()._native_id = 0
    for each in gc.get_objects():
        _forget_hashes(each)
    sys.path_importer_cache.clear()
    for _ in range(3):
        gc.collect()
    gc.freeze()


def _forget_hashes(each):
    if (functools := sys.modules.get("functools")) and type(each) is functools._lru_cache_wrapper:
        each.cache_clear()
    if (pathlib := sys.modules.get("pathlib")) and isinstance(each, pathlib.PurePath) and hasattr(each, "_hash"):
        del each._hash


def resume(arguments, variables, program, ignored):
    """Make what a process has of its own."""
    import posix

    posix.environ.clear()
    posix.environ.update(variables)
    _change_variables()
    sys.argv[:] = arguments
    sys.orig_argv[:] = [program, *arguments[1:]]
    sys.executable = sys._base_executable = program
    _set_signals(ignored)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open(number, name)
    _make_anew()


def _set_signals(ignored):
    import _signal

    for each in range(1, 65):
        handler = _signal.getsignal(each)
        if each in ignored:
            if handler != _signal.SIG_IGN:
                _signal.signal(each, _signal.SIG_IGN)
        elif callable(handler) or handler == _signal.SIG_IGN:
            _signal.signal(each, handler)


def _open(number, name):
    import _io
    import posix

    text = getattr(sys, f"__{name}__")
    try:
        posix.fstat(number)
    except OSError:
        setattr(sys, name, None)
        setattr(sys, f"__{name}__", None)
        return
    if number == 0:
        stream = _io.open(0, "rb", closefd=False)
        stream.raw.name = "<stdin>"
    else:
        stream = _io.open(number, "wb", 0, closefd=False)
        stream.name = f"<{name}>"
    text.__init__(stream, "utf-8", text.errors, "\n", line_buffering=False, write_through=True)
    text.mode = "r" if number == 0 else "w"


def _make_anew():
    import posix
    import time

    time.tzset()
    loaded = sys.modules.get
    if threading := loaded("threading"):
        threading.main_thread()._set_native_id()
    if logging := loaded("logging"):
        logging._startTime = time.time_ns() if isinstance(logging._startTime, int) else time.time()
    if process := loaded("multiprocessing.process"):
        process.current_process()._config["authkey"] = process.AuthenticationString(posix.urandom(32))

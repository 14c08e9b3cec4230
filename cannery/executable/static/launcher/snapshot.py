"""What Python does before its memory is written into the executable, and after a process has begun with it."""

import gc
import sys


class NotNow(BaseException):
    """A module is to be imported when the program starts; so are those that import it."""


class _Refusing:
    """On ``sys.meta_path`` before all others: modules that are not to be imported now."""

    def __init__(self, names):
        self.names = frozenset(names)
        self.importers = {}  # who was refused a module, and which

    def find_spec(self, name, path=None, target=None):
        if name in self.names:
            self.importers[_importing()] = name
            raise NotNow(name)


def prepare(wanted, refused, clock):
    """Import the modules ``wanted`` but for those ``refused``, and leave nothing behind that is a process's own.

    Returns, a line each: the variables that were asked for; what modules did that memory alone doesn't hold, as notes.c
    has it; the modules that could not be imported for the sake of others; and those that were imported, in the order in
    which they began. The ``clock`` is told when the import of a module begins and ends.
    """
    import importlib
    import os

    asked, changed, variables, noted = set(), set(), dict(os.environ), []
    kind, watched = type(os.environ), _watched(type(os.environ), asked, changed, noted)
    bootstrap, load = sys.modules["_frozen_importlib"], sys.modules["_frozen_importlib"]._load_unlocked
    before = set(sys.modules)
    refusing = _Refusing(refused.split(","))
    os.environ.__class__ = os.environb.__class__ = watched
    bootstrap._load_unlocked = _timed(_telling_what_stays(load, noted), clock)
    sys.meta_path.insert(0, refusing)
    late = []
    for name in filter(None, wanted.split(",")):
        try:
            importlib.import_module(name)
        except NotNow as why:
            late.append(f"{name} {why}")
    sys.meta_path.remove(refusing)
    bootstrap._load_unlocked = load
    os.environ.__class__ = os.environb.__class__ = kind
    _put_aside(changed, variables)
    _forget(noted)
    loaded = [name for name in sys.modules if name not in before]
    noted += [f"import\t{name}\t{importer}" for importer, name in refusing.importers.items() if importer in loaded]
    return "\n".join(sorted(asked)), "\n".join(noted), "\n".join(late), "\n".join(loaded)


def _timed(load, clock):
    """The import system's function ``load``, which tells the ``clock``."""

    def timed(spec):
        clock()
        try:
            return load(spec)
        finally:
            clock(spec.name)

    return timed


def _importing():
    """The module that is imported: the innermost frame that runs a module's body."""
    frame = sys._getframe(1)
    while frame is not None and frame.f_code.co_name != "<module>":
        frame = frame.f_back
    return "" if frame is None else frame.f_globals.get("__name__", "")


def _telling_what_stays(load, noted):
    """The import system's function ``load``, which notes what a module leaves behind it.

    That is a file that it leaves open, and a number that it has drawn from ``random``, which asks the kernel but once.
    """
    import posix

    def now():
        lowest = posix.dup(0)
        posix.close(lowest)
        generator = getattr(sys.modules.get("random"), "_inst", None)
        return lowest, generator and generator.getstate()

    def tell(module):
        nonlocal free, state
        number, drawn = now()
        if number > free:
            noted.append(f"open\t\t{module}")
        if state is not None and drawn != state:
            noted.append(f"randomness\t\t{module}")
        free, state = number, drawn

    def loaded(spec):
        tell(_importing())  # who has done something and imports now
        try:
            return load(spec)
        finally:
            tell(spec.name)

    free, state = now()
    return loaded


def _watched(kind, asked, changed, noted):
    """The class of ``os.environ`` while modules are imported, which notes what is asked for and what is changed.

    What a module asks for that was changed before is not noted: it's the same at each start.
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
            noted.append(f"variables\t\t{_importing()}")
            return kind.__iter__(self)

        def __len__(self):
            noted.append(f"variables\t\t{_importing()}")
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


def _forget(noted):
    """Put back what is a process's own, or depends on the hash secret and is no dictionary or set."""
    loaded = sys.modules.get
    if random := loaded("random"):
        random.seed(0)
    if logging := loaded("logging"):
        logging._startTime = 0 if isinstance(logging._startTime, int) else 0.0
    if threading := loaded("threading"):
        threading.main_thread()._native_id = 0
    for each in gc.get_objects():
        _forget_hash(each, noted)
    sys.path_importer_cache.clear()
    for _ in range(3):
        gc.collect()
    gc.freeze()
    sys.modules["_cannery_importer"]._most = sys.maxsize  # or else all that is frozen is counted after imports


def _forget_hash(each, noted):
    if (functools := sys.modules.get("functools")) and type(each) is functools._lru_cache_wrapper:
        each.cache_clear()
    if type(type(each).__hash__) is type(_forget):  # a function in Python, which may keep what it has computed
        for name in _keeping_hash(each):
            if not _is_computed_again(each, name):
                noted.append(f"hash\t{name}\t{type(each).__module__}")


_LEAST, _HEAP, _ROOM = (
    1 << 40,
    1 << 45,
    1 << 40,
)  # smaller numbers are no hash by chance, those of the heap are addresses


def _keeping_hash(each):
    """The names of what an object has that equals its hash."""
    own = _hash_of(each)
    if abs(own) < _LEAST or _HEAP <= own < _HEAP + _ROOM:
        return
    slots = (name for kind in type(each).__mro__ for name in vars(kind).get("__slots__", ()))
    for name in {*getattr(each, "__dict__", ()), *slots}:
        if type(value := getattr(each, name, None)) is int and value == own:
            yield name


def _is_computed_again(each, name):
    """Whether an object computes its hash where it lacks it, or has None in its place; in that case it now does."""
    value = getattr(each, name)
    for forget in (object.__delattr__, _set_to_none):
        forget(each, name)
        if _hash_of(each) == value and getattr(each, name, None) == value:
            forget(each, name)
            return True
        object.__setattr__(each, name, value)
    return False


def _set_to_none(each, name):
    object.__setattr__(each, name, None)


def _hash_of(each):
    """The hash, or 0 where there is none."""
    try:
        return hash(each)
    except Exception:  # noqa: BLE001  # it's code of modules
        return 0


def verify():
    """End the process, and print module and type of each key that its dictionary or set has lost.

    So is what has another hash than what is equal to it.
    """
    import posix

    lost = {f"{type(key).__module__} {type(key).__qualname__}\n" for each in _all_objects() for key in _lost(each)}
    posix.write(1, "".join(sorted(lost)).encode())
    posix._exit(0)


def _all_objects():
    """The objects that the collector knows, and all that these lead to."""
    gc.unfreeze()
    waiting = gc.get_objects()
    seen = {id(each) for each in waiting} | {id(waiting), id(sys._getframe())}
    while waiting:
        each = waiting.pop()
        yield each
        for other in gc.get_referents(each):
            if id(other) not in seen:
                seen.add(id(other))
                waiting.append(other)


def _copied(each):
    """Another object that is equal to a string, to bytes or to a frozen set."""
    if type(each) is str:
        return each.encode("utf-8", "surrogatepass").decode("utf-8", "surrogatepass")
    return frozenset(list(each)) if type(each) is frozenset else bytes(bytearray(each))


def _lost(each):
    if type(each) in {str, bytes, frozenset} and hash(each) != hash(_copied(each)):
        yield each
    if isinstance(each, (dict, set, frozenset)):
        kind = next(kind for kind in (dict, set, frozenset) if isinstance(each, kind))
        for key in list(kind.__iter__(each)):
            try:
                if not kind.__contains__(each, key):
                    yield key
            except Exception:  # noqa: BLE001  # of a key that can't be compared
                yield key


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
    if variables.get(b"CANNERY_SNAPSHOT") == b"verify":
        verify()


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

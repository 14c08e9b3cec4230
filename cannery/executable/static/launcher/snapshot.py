"""What Python does before its memory is written into the executable, and after a process has begun with it."""

import gc
import sys


def prepare(names):
    """Import the modules ``names``, and leave nothing behind that is a process's own."""
    import importlib

    for name in filter(None, names.split(",")):
        importlib.import_module(name)
    loaded = sys.modules.get
    if random := loaded("random"):
        random.seed(0)
    if logging := loaded("logging"):
        logging._startTime = 0 if isinstance(logging._startTime, int) else 0.0
    if threading := loaded("threading"):
        threading.main_thread()._native_id = 0
    if functools := loaded("functools"):
        for each in gc.get_objects():
            if type(each) is functools._lru_cache_wrapper:
                each.cache_clear()
    for _ in range(3):
        gc.collect()
    gc.freeze()


def resume(arguments, variables, program, ignored):
    """Make what a process has of its own."""
    import posix

    posix.environ.clear()
    posix.environ.update(variables)
    if os := sys.modules.get("os"):
        os.environ._data.clear()
        os.environ._data.update(variables)
    sys.argv[:] = arguments
    sys.orig_argv[:] = [program, *arguments[1:]]
    sys.executable = sys._base_executable = program
    _set_signals(ignored)
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        _open(number, name)
    _set_clocks()


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
    text.__init__(stream, "utf-8", text.errors, "\n", False, True)
    text.mode = "r" if number == 0 else "w"


def _set_clocks():
    import time

    time.tzset()
    loaded = sys.modules.get
    if threading := loaded("threading"):
        threading.main_thread()._set_native_id()
    if logging := loaded("logging"):
        logging._startTime = time.time_ns() if isinstance(logging._startTime, int) else time.time()

"""Runs the app in a bundled program: it ends as in Python, where PyInstaller's bootloader would add a line of its own.

An exception that nobody catches gives its traceback and exit code 1; Ctrl-C ends the process by SIGINT, at last.
staticx's bootloader hands SIGTERM and SIGINT on, those that the terminal has sent to the whole group as well, and as
process 1 it can't end by a signal: a process between the two hands each on once, and makes an exit code of a death.
"""

import _signal  # type: ignore[import-not-found]  # the part of signal that no bundle leaves out
import atexit
import os
import sys
import time

TYPE_CHECKING = False
if TYPE_CHECKING:
    import types

LOADER = os.getppid()
_FORWARDED = {_signal.SIGINT, _signal.SIGTERM}
_RUNNING = ".cannery-running"  # in the folder that a program was unpacked to: locked while that runs
_OLD = 600.0  # seconds, more than unpacking takes
_MOMENT = 1.0  # seconds in which the bootloader has handed on a signal that all have
_interrupted = False


def run(names: "list[str]") -> None:
    """Run the modules called ``names``, one after the other, as the program's ``__main__``; or what a Python would."""
    if _below_staticx():
        _stand_between()
    atexit.register(_end_by_interrupt)  # what is registered first is called last
    python = __import__("cannery_as_python")
    code = python.code_as_python(_file(_code(names[-1])))
    if code is not None:
        vars(sys.modules["__main__"]).pop("__file__", None)
        _run(code)
        return
    for name in names:
        code = _code(name)
        vars(sys.modules["__main__"])["__file__"] = _file(code)
        _run(code)


def _file(code: "types.CodeType") -> str:
    return os.path.join(sys._MEIPASS, os.path.basename(code.co_filename))  # type: ignore[attr-defined]  # noqa: PTH118, PTH119, SLF001


def _run(code: "types.CodeType") -> None:
    namespace = vars(sys.modules["__main__"])
    try:
        exec(code, namespace)  # noqa: S102  # the app
    except SystemExit:
        raise
    except BaseException as error:  # noqa: BLE001  # it's told as Python does
        _tell(error)
        raise SystemExit(1) from None


def _code(name: str) -> "types.CodeType":
    for finder in sys.meta_path:
        spec = finder.find_spec(name, None)
        if spec is not None:
            return spec.loader.get_code(name)  # type: ignore[union-attr, no-any-return]
    raise ImportError(name)


def _tell(error: BaseException) -> None:
    """Show an exception that nobody caught, from the app's own frames on, and note whether it is Ctrl-C."""
    global _interrupted  # noqa: PLW0603  # what is called at exit has no other way to know
    _interrupted = type(error) is KeyboardInterrupt
    traceback = error.__traceback__ and error.__traceback__.tb_next
    error.__traceback__ = traceback
    try:
        sys.excepthook(type(error), error, traceback)
    except SystemExit:
        raise
    except BaseException:  # noqa: BLE001  # the hook is the app's
        sys.__excepthook__(*sys.exc_info())
        sys.__excepthook__(type(error), error, traceback)


def _end_by_interrupt() -> None:
    """Die by SIGINT where Ctrl-C ended the app, so that a shell knows."""
    if _interrupted:
        for stream in filter(None, (sys.stdout, sys.stderr)):
            stream.flush()
        _signal.signal(_signal.SIGINT, _signal.SIG_DFL)
        os.kill(os.getpid(), _signal.SIGINT)


def _below_staticx() -> bool:
    """Whether this process was started by staticx's bootloader, and by no process of the app."""
    try:
        return os.readlink(f"/proc/{LOADER}/exe") == os.environ.get("STATICX_PROG_PATH")  # noqa: PTH115
    except OSError:
        return False


def _stand_between() -> None:
    """Go on in a child of this process, which waits for that and ends as it did."""
    watched = {*_FORWARDED, _signal.SIGCHLD}
    before = _signal.pthread_sigmask(_signal.SIG_BLOCK, watched)
    child = os.fork()
    if child == 0:
        _signal.pthread_sigmask(_signal.SIG_SETMASK, before)
        return
    _remove_what_is_left()
    heard = -_MOMENT  # when all were sent a signal
    while True:
        info = _signal.sigwaitinfo(watched)
        if info.si_signo == _signal.SIGCHLD:
            pid, status = os.waitpid(child, os.WNOHANG)
            if pid:
                os._exit(os.WEXITSTATUS(status) if os.WIFEXITED(status) else 128 + os.WTERMSIG(status))
        elif info.si_pid != LOADER:
            heard = time.monotonic()
        elif time.monotonic() - heard > _MOMENT:
            os.kill(child, info.si_signo)


def _remove_what_is_left() -> None:
    """Remove what this program has unpacked at other starts, whose bootloader was killed and so has left it there."""
    own = os.path.dirname(sys._MEIPASS)  # type: ignore[attr-defined]  # noqa: PTH120, SLF001
    try:
        running = os.open(f"{own}/{_RUNNING}", os.O_RDWR | os.O_CREAT, 0o600)
        os.lockf(running, os.F_TLOCK, 0)  # until this process ends
        with os.scandir(os.path.dirname(own)) as entries:  # noqa: PTH120
            for entry in [*entries]:
                if entry.name.startswith("staticx-") and entry.path != own and _is_left(entry, own):
                    _remove(entry.path)
    except OSError:
        return  # a folder that nothing can be removed from


def _is_left(entry: "os.DirEntry[str]", own: str) -> bool:
    """Whether a folder is of this user, and has parts of this program that no process runs."""
    info = entry.stat(follow_symlinks=False)
    if not entry.is_dir(follow_symlinks=False) or info.st_uid != os.getuid():
        return False
    try:
        running = os.open(f"{entry.path}/{_RUNNING}", os.O_RDWR)
    except FileNotFoundError:  # it was not unpacked to the end, or is somebody else's
        return time.time() - info.st_mtime > _OLD and _files(entry.path) <= _files(own)
    try:
        os.lockf(running, os.F_TEST, 0)
    except OSError:
        return False
    finally:
        os.close(running)
    return True


def _files(folder: str) -> "set[str]":
    return {f"{here.removeprefix(folder)}/{name}" for here, _, names in os.walk(folder) for name in names}


def _remove(folder: str) -> None:
    for here, folders, names in os.walk(folder, topdown=False):
        for name in names:
            os.remove(f"{here}/{name}")  # noqa: PTH107
        for name in folders:
            (os.remove if os.path.islink(f"{here}/{name}") else os.rmdir)(f"{here}/{name}")  # noqa: PTH114
    os.rmdir(folder)  # noqa: PTH106

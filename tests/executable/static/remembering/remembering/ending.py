"""Ways in which a program ends, and what objects do then."""

import atexit
import gc
import os
import signal
import sys
import threading
import time
import weakref
from collections.abc import Iterator

from remembering import tables

KEPT: list[object] = []


class Dying:
    def __del__(self) -> None:
        os.write(1, b"finalized\n")


class Linked:
    """Its objects are garbage that only the collector finds, in the order in which they were made."""

    def __init__(self, number: int) -> None:
        self.number, self.own = number, self


LINKED = {str(number): [Linked(number), (Linked(number + 1), {number})] for number in range(0, 20, 2)}


def suspended() -> Iterator[int]:
    try:
        yield 1
    finally:
        os.write(1, b"closed\n")


def plain() -> None:
    pass


def objects() -> None:
    KEPT.append(Dying())


def order() -> None:
    Linked.__del__ = lambda self: os.write(1, f"{self.number}\n".encode())


def small() -> None:
    """The collector doesn't know such objects."""

    class Small:
        __slots__ = ()

        def __del__(self) -> None:
            os.write(1, b"finalized, too\n")

    KEPT.append(Small())


def frozen() -> None:
    """What a program has frozen isn't looked at, and neither is anything that was there by then."""
    Linked.__del__ = lambda self: os.write(1, f"{self.number}\n".encode())
    KEPT.append(Linked(100))
    gc.freeze()
    KEPT.append(Dying())


def unfrozen() -> None:
    gc.unfreeze()
    KEPT.append(Dying())


def collected() -> None:
    KEPT.append(Dying())
    KEPT.append(KEPT)
    gc.collect()


def taught() -> None:
    """A class that is in memory learns what its objects do at their end."""
    tables.Named.__del__ = lambda _: os.write(1, b"taught\n")


def turned() -> None:
    """An object that is in memory becomes another."""
    tables.KEPT.__class__ = type("Other", (tables.Named,), {"__del__": lambda _: os.write(1, b"turned\n")})


def generator() -> None:
    KEPT.append(suspended())
    next(KEPT[0])


def callback() -> None:
    KEPT.append(weakref.ref(tables.KEPT, lambda _: os.write(1, b"called back\n")))


def finalizer() -> None:
    weakref.finalize(tables.KEPT, os.write, 1, b"finalizer\n")


def auditor() -> None:
    sys.addaudithook(
        lambda event, _: os.write(1, b"cleared\n") if event == "cpython.PyInterpreterState_Clear" else None
    )


def collector() -> None:
    gc.callbacks.append(lambda phase, _: os.write(1, phase.encode() + b"\n"))


def folder() -> None:
    """A folder that is not read to its end is told of where warnings are shown."""
    import warnings

    warnings.simplefilter("always")
    KEPT.append(os.scandir("/"))
    next(KEPT[0])


def file() -> None:
    KEPT.append(os.fdopen(1, "w", buffering=1000, closefd=False))
    KEPT[0].write("flushed\n")


def text() -> None:
    sys.stdout.reconfigure(write_through=False)
    sys.stdout.write("text\n")


def thread() -> None:
    threading.Thread(target=lambda: (time.sleep(0.1), os.write(1, b"thread\n"))).start()


def daemon() -> None:
    threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
    Linked.__del__ = lambda self: os.write(1, f"{self.number}\n".encode())


def tracer() -> None:
    sys.setprofile(lambda _frame, _event, _: None)


class Stream:
    def write(self, text: str) -> int:
        return os.write(1, text.encode())

    def flush(self) -> None:
        os.write(1, b"flush\n")


def stream() -> None:
    sys.stdout = Stream()


def functions() -> None:
    atexit.register(os.write, 1, b"registered first\n")
    atexit.register(os.write, 1, b"registered last\n")


def code() -> None:
    sys.exit(3)


def words() -> None:
    sys.exit("in words")


def failure() -> None:
    raise ValueError("failed")


def interrupt() -> None:
    raise KeyboardInterrupt


def hook() -> None:
    sys.excepthook = lambda *_: sys.exit(4)
    raise ValueError


def child() -> None:
    if not (number := os.fork()):
        sys.exit(5)
    os.write(1, f"{os.waitstatus_to_exitcode(os.waitpid(number, 0)[1])}\n".encode())


def ended() -> None:
    os.kill(os.getpid(), signal.SIGTERM)

"""The commands: each prints what it found."""

import concurrent.futures
import ctypes
import dataclasses
import datetime
import gc
import importlib
import importlib.metadata
import importlib.resources
import inspect
import math
import multiprocessing
import os
import pkgutil
import socket
import sqlite3
import ssl
import subprocess
import sys
import tempfile
import threading
import urllib.error
import urllib.request
import warnings
import weakref
import zoneinfo
from decimal import Decimal
from pathlib import Path

import probe


def where() -> None:
    print(__file__, sys.argv, sys.path, os.getuid(), sys.flags.ignore_environment)


def package() -> None:
    print(sys.modules["__main__"].__package__)


def resources() -> None:
    data = importlib.resources.files(probe) / "data" / "greeting.txt"
    print(data.read_text(encoding="utf-8"), pkgutil.get_data("probe", "data/greeting.txt").decode())
    with importlib.resources.as_file(data) as path:
        print(path.read_text(encoding="utf-8"))


def metadata() -> None:
    print(importlib.metadata.version("probe"))
    print([each.name for each in importlib.metadata.entry_points(group="probe.parts")])
    print(sorted(module.name for module in pkgutil.iter_modules(probe.__path__)))


def square(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def pool(method: str) -> None:
    context = multiprocessing.get_context(method)
    with concurrent.futures.ProcessPoolExecutor(2, mp_context=context) as workers:
        answers = list(workers.map(square, range(4)))
    print([number for number, _ in answers], os.getpid() not in {process for _, process in answers})


def python() -> None:
    show = "import sys; print(sys.argv)"
    with tempfile.NamedTemporaryFile("w", suffix=".py") as script:
        script.write(show.replace("argv", "argv[1:]"))
        script.flush()
        for arguments in (["-c", show, "-x"], ["-m", "probe", "where"], [script.name, "3"]):
            done = subprocess.run([sys.executable, *arguments], capture_output=True, text=True, check=True)
            print(done.stdout.strip())


def tls(address: str) -> None:
    with urllib.request.urlopen(address) as answer:
        print(answer.status, answer.read().decode(), ssl.OPENSSL_VERSION.split()[0])


def untrusted(address: str) -> None:
    try:
        tls(address)
    except urllib.error.URLError as error:
        print(error.reason)


def names() -> None:
    print(socket.getaddrinfo("localhost", 80, type=socket.SOCK_STREAM)[0][4][0])
    print("bücher.example".encode("idna"))


def libraries() -> None:
    import bz2
    import hashlib
    import lzma
    import zlib

    database = sqlite3.connect(":memory:")
    print(database.execute("select upper('sqlite')").fetchone()[0])
    print(*(module.decompress(module.compress(b"same")).decode() for module in (bz2, lzma, zlib)))
    print(hashlib.new("sha512_256", b"").hexdigest()[:8], Decimal(1) / Decimal(7))
    callback = ctypes.CFUNCTYPE(ctypes.c_int, ctypes.c_int)(lambda number: number + 1)
    print([math.log2(2.0**each) for each in (-1074, -1065, 0, 1023)])
    print(callback(41), threading.active_count())


def errors() -> None:
    for call in (lambda: os.posix_fallocate(99, 0, 1), lambda: os.posix_fadvise(99, 0, 1, os.POSIX_FADV_NORMAL)):
        try:
            call()
        except OSError as error:
            print(error)


@dataclasses.dataclass(init=False)
class Plain:
    number: int = 0


def signatures() -> None:
    print(Plain.__doc__, inspect.signature(Plain), inspect.signature(square))


def collector() -> None:
    before = gc.get_threshold()
    alive = importlib.import_module("probe.working").alive
    print(alive < 50_000, gc.get_threshold() == before)


class Kept:
    """Refers to itself, and so is there until Python looks for garbage at its end."""

    def __init__(self, held: object) -> None:
        self.itself = self
        self.held = held


KEPT: list[Kept] = []


class Finalized:
    """Says that it ends."""

    def __del__(self) -> None:
        os.write(1, b"finalized\n")


def ending(kind: str) -> None:
    KEPT.append(Kept(Finalized() if kind == "object" else None))
    if kind == "file":
        KEPT[0].held = file = open(1, "w", closefd=False)  # noqa: SIM115  # it's there until the end
        file.write("flushed\n")
    if kind == "callbacks":
        gc.callbacks.append(lambda phase, _: os.write(1, b"seen\n") if phase == "start" else 0)
    weakref.finalize(KEPT[0], os.write, 1, b"told\n")


def thread() -> None:
    """Go on in a thread after the end of the program's own."""

    def work() -> None:
        threading.main_thread().join()
        Kept(Finalized())
        gc.collect()
        print("worked")

    threading.Thread(target=work).start()


def zones() -> None:
    print(datetime.datetime(2026, 7, 1, tzinfo=zoneinfo.ZoneInfo("Europe/Zurich")).utcoffset())


def frames() -> None:
    """Go up to the first frame whose file exists, as python-dotenv does."""
    frame = inspect.currentframe()
    while frame is not None and not Path(frame.f_code.co_filename).exists():
        frame = frame.f_back
    print(frame is not None and frame.f_code.co_name)


def fail() -> None:
    warnings.warn("careful", stacklevel=1)
    raise ValueError("on line 106")


def wait() -> None:
    print("ready", flush=True)
    threading.Event().wait()


def leave(code: str) -> None:
    sys.exit(int(code))

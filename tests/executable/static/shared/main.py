"""Loads an extension module in all the ways that there are, and tells what it found as JSON."""

import ctypes
import json
import multiprocessing
import os
import pkgutil
import subprocess
import sys
import threading
from ctypes.util import find_library

import library
from library import fast


def count(_=None):
    return fast.count()


def in_threads():
    found = []
    threads = [threading.Thread(target=lambda: found.append((fast.count(), fast.count()))) for _ in range(2)]
    for each in threads:
        each.start()
    for each in threads:
        each.join()
    return found


def in_processes():
    for how in ("fork", "spawn", "forkserver"):
        with multiprocessing.get_context(how).Pool(1) as pool:
            yield pool.map(count, [0])[0]


def opened(name):
    try:
        return ctypes.CDLL(name).helper_next()
    except OSError as error:
        return str(error)


if __name__ == "__main__":
    folder = os.path.dirname(library.__file__)
    command = [sys.executable, "-c", "import library.fast as f; print(f.count())"]
    print(
        json.dumps(
            {
                **fast.about(),
                "file": fast.__file__,
                "main thread": fast.count(),
                "threads": in_threads(),
                "processes": list(in_processes()),
                "executable": int(subprocess.run(command, capture_output=True, check=True).stdout),
                "modules": sorted(each.name for each in pkgutil.iter_modules(library.__path__)),
                "beside": opened(f"{folder}/../library.libs/libhelper-1.so"),
                "absent": opened("libnowhere.so.1"),
                "itself": [
                    ctypes.CDLL(None).getppid() == os.getppid(),
                    ctypes.CDLL("libc.so.6").getpid() == os.getpid(),
                    ctypes.CDLL(find_library("c")).getpid() == os.getpid(),
                    ctypes.pythonapi.PyGILState_Check(),
                ],
                "unpacked": [name for name in os.listdir("/tmp") if not name.startswith("pymp-")],
            }
        )
    )

"""Tells what a process has that it should have for itself."""

import gc
import json
import logging
import multiprocessing.process
import os
import random
import secrets
import signal
import ssl
import subprocess
import sys
import tempfile
import threading
import time
import uuid

from remembering import ending, places, tables

ASKED = os.environ.get("ASKED")
os.environ.setdefault("CHOSEN", "by the program")
os.environb[b"OTHER"] = b"too"
SETTINGS = os.path.exists(places.FILE)
ALSO = os.environ["CHOSEN"], os.environ["OTHER"]
del os.environ["OTHER"]


def fresh() -> None:
    """What has to be different in each process, though all have the same number."""
    print(
        json.dumps(
            {
                "urandom": os.urandom(8).hex(),
                "random": random.random(),
                "uuid1": str(uuid.uuid1()),
                "uuid4": str(uuid.uuid4()),
                "secrets": secrets.token_hex(),
                "tls": ssl.RAND_bytes(8).hex(),
                "temporary": tempfile.mktemp(),
                "authkey": bytes(multiprocessing.process.current_process().authkey).hex(),
                "hash": hash("a"),
                "of bytes": hash(b"a"),
            }
        )
    )


def found() -> None:
    """Whether all keys of all dictionaries and sets are found."""
    gc.unfreeze()
    holders = (tables.TABLE, tables.SET, tables.FROZEN)
    lost = [key for key in tables.all_kinds() for holder in holders if key not in holder]
    for each in gc.get_objects():
        if isinstance(each, dict | set | frozenset):
            lost += [key for key in list(each) if key not in each]
    tables.ORDERED.move_to_end("3")
    del tables.ORDERED["4"]
    lost += [] if list(tables.ORDERED)[-1] == "3" and tables.WEAK[tables.Named("kept")] == 1 else ["ordered"]
    print(lost, tables.remembered("once"), sys.intern("ta" + "bles") is sys.intern("tables"))


def own() -> None:
    """What is the process's own."""
    main = threading.main_thread()
    print(
        sys.argv[1:], os.environ.get("MINE"), main.native_id == os.getpid(), time.time() - logging._startTime / 1e9 < 60
    )


def variables() -> None:
    """What the program has chosen for itself, and what a child is given."""
    child = subprocess.run(["/bin/sh", "-c", "echo $CHOSEN ${OTHER-none}"], capture_output=True, text=True)
    print(os.environ["CHOSEN"], "OTHER" in os.environ, ALSO, child.stdout.strip())


def children() -> None:
    print(
        subprocess.run(
            [sys.executable, "-c", "import gc; print(gc.get_freeze_count())"], capture_output=True, text=True
        ).stdout
    )


def child(method: str) -> None:
    """A process of multiprocessing's, by one of its methods."""
    running = multiprocessing.get_context(method).Process(target=print, args=("from a child by", method))
    running.start()
    running.join()
    print(running.exitcode)


def streams() -> None:
    """What the standard streams are, and whether a signal is ignored."""
    print(sys.stdin.isatty(), sys.stdout.isatty(), sys.stdout.name, signal.getsignal(signal.SIGHUP) == signal.SIG_IGN)


def wait() -> None:
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(7))
    print("ready")
    signal.pause()


def drawn() -> None:
    from remembering import drawing

    print(drawing.DRAWN, hash("a"))


def late() -> None:
    """What modules have that were imported late."""
    from remembering import (
        copying,
        counting,
        keeping,
        leaving,
        listening,
        looking,
        reading,
        starting,
        swallowing,
        working,
    )

    print(copying.ALL == dict(os.environ), counting.COUNT == os.cpu_count(), keeping.KEYS[next(iter(keeping.KEYS))])
    print(os.fstat(leaving.ENDS[0]).st_nlink, listening.SOCKET.fileno() > 2, looking.COLOURED, "root" in reading.USERS)
    print(starting.SAID.strip(), swallowing.drawing.__name__, working.DONE.is_set())


def end(how: str) -> None:
    getattr(ending, how)()


def zone() -> None:
    print(time.tzname[0], time.localtime(0).tm_hour)


def main() -> None:
    if sys.argv[1:] == ["kind"]:
        print("restored" if gc.get_freeze_count() else "ordinary")
    else:
        globals()[sys.argv[1]](*sys.argv[2:])

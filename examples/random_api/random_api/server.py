"""Gunicorn, embedded in the program."""

from __future__ import annotations

import gc
import os
import signal
from typing import TYPE_CHECKING

from gunicorn.app.base import BaseApplication

from random_api.api import create_api
from random_api.options import Options, read_options

if TYPE_CHECKING:
    import falcon
    from gunicorn.arbiter import Arbiter
    from gunicorn.workers.base import Worker

__all__ = ["Server", "main"]

_ENDING = (signal.SIGTERM, signal.SIGINT, signal.SIGQUIT)
_IN_MEMORY = "/dev/shm"  # noqa: S108  # Gunicorn's own advice for its heartbeat files: a disk may stall


class Server(BaseApplication):
    """Gunicorn serving the API as the options say; it ends gracefully on SIGTERM."""

    def __init__(self, options: Options) -> None:
        self.options = options
        super().__init__()

    def load_config(self) -> None:
        """Tell Gunicorn what it would read from a file of its own."""
        settings = {
            "bind": f"{self.options.host}:{self.options.port}",
            "workers": self.options.workers,
            "pre_fork": _hold,
            "post_worker_init": _let_go,
            "control_socket_disable": True,  # nobody controls it but by signals, and it would be written to a disk
            "worker_tmp_dir": _IN_MEMORY if os.access(_IN_MEMORY, os.W_OK) else None,
        }
        for name, value in settings.items():
            self.cfg.set(name, value)

    def load(self) -> falcon.App[falcon.Request, falcon.Response]:  # type: ignore[override]  # looser in the stubs
        """The application, in each worker."""
        return create_api()


def _hold(_arbiter: Arbiter, _worker: Worker) -> None:
    """A worker that is told to end before it listens to that would not hear it: let such signals wait."""
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDING)


def _let_go(_worker: Worker | None = None) -> None:
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDING)


def main() -> None:
    """Serve until told to stop."""
    os.register_at_fork(after_in_parent=_let_go)
    server = Server(read_options())
    gc.freeze()  # workers share what is there by now: none looks through it for garbage, not even to end
    server.run()

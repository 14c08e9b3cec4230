"""Machines as they are elsewhere: a small disk, an ordinary user, a file system that can't be written."""

from __future__ import annotations

import os
import signal
import stat
import subprocess
import sys
import sysconfig
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

import cannery
from tests.support.command import COMMAND, Outcome, environment, finished

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["NOBODY", "Machine", "own_machine"]

NOBODY = 65534
_AS_ROOT = () if os.geteuid() == 0 else ("--user", "--map-root-user")


@dataclass(frozen=True)
class Machine:
    """A mount namespace of its own, in which commands run: nobody else sees what is mounted there."""

    holder: int  # the process that keeps the namespace
    user: int | None = None  # who runs commands; root, or whoever runs the tests, where it's not given

    def path(self, path: Path) -> Path:
        """Where this process sees what lies at ``path`` over there."""
        return Path(f"/proc/{self.holder}/root", path.relative_to("/"))

    def mount(self, *arguments: str) -> None:
        """Mount a file system or a folder, told as on the command line."""
        done = self._run("mount", *arguments)
        assert done.code == 0, done.stderr

    def small_disk(self, folder: Path, size: str) -> None:
        """Let ``folder`` be a disk of its own, as large as tmpfs's ``size`` says; a second time changes the size."""
        if self.path(folder).stat().st_dev == folder.stat().st_dev:
            self.mount("-t", "tmpfs", "-o", f"size={size},mode=777", "none", str(folder))
        else:
            self.mount("-o", f"remount,size={size}", str(folder))

    def read_only(self, folder: Path) -> None:
        """Let nobody write to ``folder``."""
        self.mount("--bind", str(folder), str(folder))
        self.mount("-o", "remount,ro,bind", str(folder))

    def as_user(self, user: int) -> Machine:
        """The machine as ``user`` sees it, who has no privileges."""
        return replace(self, user=user)

    def cannery(self, *arguments: str, cwd: Path, **changes: str | None) -> Outcome:
        """Run ``cannery`` there."""
        ids = (f"--reuid={self.user}", f"--regid={self.user}")
        become = ("setpriv", *ids, "--clear-groups") if self.user is not None and not _AS_ROOT else ()
        command = ("env", f"--chdir={cwd}", *become, *COMMAND, *arguments)
        return self._run(*command, **changes)

    def let_everyone_in(self) -> None:
        """Make reachable to every user what Python and cannery are made of: it may lie below root's own home."""
        needed = {sys.prefix, sys.base_prefix, sysconfig.get_path("stdlib"), str(Path(cannery.__file__).parent)}
        closed = {each for name in needed for each in Path(name).parents if not each.stat().st_mode & stat.S_IXOTH}
        for folder in (each for each in closed if closed.isdisjoint(each.parents)):
            self._cover(folder, [name for name in needed if Path(name).is_relative_to(folder)])

    def _cover(self, folder: Path, needed: list[str]) -> None:
        """Put an open folder in the place of ``folder``, with nothing in it but what is ``needed``."""
        script = 'cd "$1"; mount -t tmpfs -o mode=755 none "$1"; shift; for each; do mkdir -p "$each"; done'
        script += '; for each; do mount --no-canonicalize --bind ".${each#$PWD}" "$each"; done'
        assert self._run("sh", "-ec", script, "sh", str(folder), *needed).code == 0

    def _run(self, *command: str, **changes: str | None) -> Outcome:
        enter = ["nsenter", f"--mount=/proc/{self.holder}/ns/mnt"]
        enter += [f"--user=/proc/{self.holder}/ns/user", "--preserve-credentials"] if _AS_ROOT else []
        return finished([*enter, "--", *command], env=environment(changes))


@contextmanager
def own_machine() -> Iterator[Machine]:
    """A machine that is gone at the end; with CI set it is a failure when there can be none."""
    command = ["unshare", *_AS_ROOT, "--mount", "--propagation=private", "sh", "-c", "echo ready; exec cat"]
    pipe = subprocess.PIPE  # the holder ends with the one of its standard input, however the tests end
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=pipe, text=True) as holder:
        assert holder.stdout is not None
        if holder.stdout.readline() != "ready\n":
            (pytest.fail if os.environ.get("CI") else pytest.skip)("this machine gives out no mount namespaces")
        try:
            yield Machine(holder.pid)
        finally:
            holder.send_signal(signal.SIGKILL)

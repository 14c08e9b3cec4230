"""Containers that run a program of the host's, and what such a program tells."""

from __future__ import annotations

import json
import textwrap
from typing import TYPE_CHECKING, Any, Final, Unpack

from cannery.containers.sandbox.container import Container

if TYPE_CHECKING:
    from pathlib import Path
    from typing import TypedDict

    from cannery.containers.limits import Limits
    from cannery.containers.sandbox.container import Volume
    from tests.support.sandbox_callers import Caller

    class Options(TypedDict, total=False):
        """What a container may be given besides its program."""

        env: dict[str, str]
        uid: int
        gid: int
        working_directory: str
        hostname: str
        scratch: tuple[str, ...]
        volumes: tuple[Volume, ...]
        limits: Limits


__all__ = ["ENV", "IMAGE_USER", "program", "script", "seen"]

ENV: Final = {"PATH": "/bin:/usr/bin", "HOME": "/"}
IMAGE_USER: Final = 65535


def program(root: Path, *argv: str, **options: Unpack[Options]) -> Container:
    plain = Container(root, argv, ENV, IMAGE_USER, IMAGE_USER)
    return plain._replace(**options)


def script(root: Path, source: str, **options: Unpack[Options]) -> Container:
    """A Python program, whose standard error shows why a test fails."""
    return program(root, "python", "-c", textwrap.dedent(source), **options)


def seen(caller: Caller, container: Container) -> Any:  # whatever the test asks for
    """The JSON that a program writes."""
    ended = caller.run(container)
    assert ended.code == 0, ended.stderr
    return json.loads(ended.stdout)

"""Containers in a process of their own beside this one, with their output in files.

The runner and engines' clients stay with the process that calls them until the program ends; here that process is
another Python with the modules of this one.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import IO, TYPE_CHECKING, Any, Final

from cannery.containers.engine.engine import ContainerRequest
from cannery.containers.limits import Limits
from cannery.containers.sandbox.container import Container, Volume
from cannery.errors import CanneryError, ImageError
from cannery.workspace.process import start_background

if TYPE_CHECKING:
    import subprocess

    from cannery.containers.engine.discovery import Choice

__all__ = ["REFUSED", "main", "start_container", "start_in_engine"]

REFUSED: Final = 125  # exit code where there's no container: the last line on standard error says why, as JSON
_START: Final = "import sys; sys.path[:] = {path!r}; from cannery.containers.background import main; main({about!r})"


def start_container(container: Container, output: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    """Start ``container`` by the embedded runner; SIGTERM to the process that comes back reaches the program."""
    about = {**container._asdict(), "root": str(container.root), "env": dict(container.env)}
    about["volumes"] = [[str(volume.source), *volume[1:]] for volume in container.volumes]
    return _start({"container": about}, output, errors)


def start_in_engine(
    choice: Choice, request: ContainerRequest, output: IO[bytes], errors: IO[bytes]
) -> subprocess.Popen[bytes]:
    """Start the container of ``request`` in the engine that ``choice`` means, as :func:`start_container` does."""
    from dataclasses import asdict  # noqa: PLC0415  # slow to import

    return _start({"choice": choice, "request": asdict(request)}, output, errors)


def main(about: str) -> None:
    """Run what one of the functions above described to its end, in the process that they started."""
    try:
        sys.exit(_run(json.loads(about)))
    except ImageError as error:  # the image's own fault, which whoever runs it sees
        sys.stderr.write(f"{error}\n")
        sys.exit(error.exit_code)
    except CanneryError as error:
        sys.stderr.write(f"\n{json.dumps([error.what, error.evidence, error.step])}\n")
        sys.exit(REFUSED)


def _start(about: dict[str, Any], output: IO[bytes], errors: IO[bytes]) -> subprocess.Popen[bytes]:
    code = _START.format(path=sys.path, about=json.dumps(about))
    return start_background([sys.executable, "-I", "-c", code], output=output, errors=errors)


def _run(about: dict[str, Any]) -> int:
    from cannery.containers.sandbox.privileges import die_with_parent  # noqa: PLC0415

    die_with_parent()
    if "request" in about:
        return _run_in_engine(about["choice"], about["request"])
    from cannery.containers.sandbox.runner import run_container  # noqa: PLC0415

    fields = about["container"]
    volumes = tuple(Volume(Path(source), *rest) for source, *rest in fields["volumes"])
    return run_container(
        Container(
            **{
                **fields,
                "root": Path(fields["root"]),
                "argv": tuple(fields["argv"]),
                "scratch": tuple(fields["scratch"]),
                "volumes": volumes,
                "limits": Limits(*fields["limits"]),
            }
        )
    )


def _run_in_engine(choice: Choice, fields: dict[str, Any]) -> int:
    from cannery.containers.engine.discovery import find_engine  # noqa: PLC0415
    from cannery.errors import MachineError  # noqa: PLC0415

    engine = find_engine(choice)
    if engine is None:
        raise MachineError("no engine answers", step="start Docker or Podman")
    given: dict[str, Any] = {name: tuple(value) if isinstance(value, list) else value for name, value in fields.items()}
    given["limits"] = Limits(*given["limits"])
    return engine.run(ContainerRequest(**given), tell=lambda _: None)  # what is said here would seem the program's

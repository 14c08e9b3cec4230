"""A server that is asked over HTTP on this machine, once it answers."""

from __future__ import annotations

import http.client
import socket
import time
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final

from cannery.errors import MachineError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from cannery.check.question import Url

__all__ = ["Response", "check_free", "responses"]

_HOST: Final = "127.0.0.1"
_MOMENT: Final = 0.05  # seconds between two attempts
_ANSWER: Final = 30.0  # seconds that one response may take
_MOST: Final = 4 << 20  # bytes of a body that are looked at


@dataclass(frozen=True, slots=True)
class Response:
    """A server's response; all that differs from one moment to the next, such as Date, is not in it."""

    url: str
    status: int | None  # None: there was none
    body: str  # or why there is no response


def responses(urls: Sequence[Url], patience: float, alive: Callable[[], bool]) -> tuple[Response, ...]:
    """The responses to GET, the first of them awaited for up to ``patience`` seconds while the server is ``alive``.

    Redirects are responses like others.
    """
    deadline = time.monotonic() + patience
    return tuple(_response(url, deadline, alive) for url in urls)


def check_free(urls: Sequence[Url]) -> None:
    """Raise :class:`MachineError` where somebody listens on the port of one of ``urls`` already."""
    for url in urls:
        with socket.socket() as connection:
            if connection.connect_ex((_HOST, url.port)) == 0:
                raise MachineError(
                    f"something listens on port {url.port} of this machine already",
                    evidence=f"the program is to be asked by {url.text}",
                    step="end it, and try again",
                )


def _response(url: Url, deadline: float, alive: Callable[[], bool]) -> Response:
    while True:
        try:
            return _get(url)
        except (OSError, http.client.HTTPException) as error:
            why = f"no response: {str(error) or type(error).__name__}"
        if not alive():
            return Response(url.text, None, "no response: the program has ended")
        if time.monotonic() > deadline:
            return Response(url.text, None, why)
        time.sleep(_MOMENT)


def _get(url: Url) -> Response:
    connection = http.client.HTTPConnection(_HOST, url.port, timeout=_ANSWER)
    try:
        connection.request("GET", url.target, headers={"Host": f"localhost:{url.port}", "Connection": "close"})
        found = connection.getresponse()
        return Response(url.text, found.status, found.read(_MOST).decode(errors="replace"))
    finally:
        connection.close()

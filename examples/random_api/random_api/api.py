"""The API itself, which any WSGI server can serve."""

from __future__ import annotations

import os
import secrets

import falcon

__all__ = ["Health", "Number", "create_api"]

LOWER, UPPER = 1, 100  # where the request names no limits


class Number:
    """``/number``: a random integer between two limits, both included."""

    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        """Draw a number; limits that can't be are answered with 400 and the reason."""
        lower = request.get_param_as_int("lower", default=LOWER)
        upper = request.get_param_as_int("upper", default=UPPER)
        if lower > upper:
            raise falcon.HTTPBadRequest(
                title="Invalid limits", description=f"lower is {lower}, which is more than upper, {upper}."
            )
        number = lower + secrets.randbelow(upper - lower + 1)
        response.media = {"number": number, "lower": lower, "upper": upper}


class Health:
    """``/health``: whether the service answers, and which of its processes does."""

    def on_get(self, _: falcon.Request, response: falcon.Response) -> None:
        """Say so."""
        response.media = {"status": "ok", "worker": os.getpid()}


def create_api() -> falcon.App[falcon.Request, falcon.Response]:
    """The API with all its resources."""
    api = falcon.App()
    api.add_route("/number", Number())
    api.add_route("/health", Health())
    return api

"""Whether the service is well."""

from __future__ import annotations

import os

from sanic import Blueprint, HTTPResponse, Request, json

blueprint = Blueprint("health", url_prefix="/health")


@blueprint.get("/")
async def health(_: Request) -> HTTPResponse:
    """Say which of the worker processes answers."""
    return json({"status": "ok", "worker": os.getpid()})

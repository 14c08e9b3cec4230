"""Texts in numbers."""

from __future__ import annotations

from sanic import BadRequest, Blueprint, HTTPResponse, Request, json

from ...services.texts import statistics_of

blueprint = Blueprint("statistics", url_prefix="/text")


@blueprint.post("/statistics")
async def statistics(request: Request) -> HTTPResponse:
    """The numbers of the text that is sent."""
    sent = request.json
    if not isinstance(sent, dict) or not isinstance(sent.get("text"), str):
        raise BadRequest('send JSON as in {"text": "…"}')
    return json(statistics_of(sent["text"]).as_json())

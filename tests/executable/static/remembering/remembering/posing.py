"""Draws a number as if another module did when it's imported."""

import secrets

exec(compile("DRAWN = secrets.token_hex()", "nowhere", "exec"), {"__name__": "elsewhere", "secrets": secrets})

"""Has a file of the system from its import on."""

from pathlib import Path

USERS = Path("/etc/passwd").read_text()

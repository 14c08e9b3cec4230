"""Build, run and look after the container image: see `invoke --list`."""

from cannery.tasks import namespace

__all__ = ["namespace"]

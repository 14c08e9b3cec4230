"""All that this project needs to become an image: see ``invoke --list``."""

from cannery.tasks import namespace

__all__ = ["namespace"]

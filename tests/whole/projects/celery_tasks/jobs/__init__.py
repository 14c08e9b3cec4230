from jobs.celery import app

__all__ = ["app"]

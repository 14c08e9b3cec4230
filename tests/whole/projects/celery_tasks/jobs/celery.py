from celery import Celery

app = Celery("jobs", broker="memory://", backend="cache+memory://", include=["jobs.tasks"])
app.conf.update(timezone="Europe/Berlin", task_serializer="json", beat_schedule={})

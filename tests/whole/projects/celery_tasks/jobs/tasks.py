from jobs.celery import app


@app.task
def add(a, b):
    return a + b


@app.task(bind=True, max_retries=2)
def flaky(self):
    raise self.retry()

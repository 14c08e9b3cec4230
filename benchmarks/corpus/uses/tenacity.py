import asyncio

import tenacity

calls = []


@tenacity.retry(stop=tenacity.stop_after_attempt(3), wait=tenacity.wait_none(), reraise=True)
def flaky():
    calls.append(1)
    if len(calls) < 3:
        raise OSError("not yet")
    return len(calls)


@tenacity.retry(stop=tenacity.stop_after_attempt(2), wait=tenacity.wait_random(0, 0.01))
async def never():
    raise ValueError("no")


print(flaky(), flaky.statistics["attempt_number"])
try:
    asyncio.run(never())
except tenacity.RetryError as error:
    print(type(error.last_attempt.exception()).__name__)

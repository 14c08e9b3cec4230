from google.api_core import datetime_helpers, exceptions, operation, page_iterator, path_template, retry

print(path_template.expand("users/*/messages/*", "me", "123"), path_template.validate("users/*", "users/me"))
calls = []


@retry.Retry(predicate=retry.if_exception_type(exceptions.ServiceUnavailable), initial=0.01)
def flaky():
    calls.append(1)
    if len(calls) < 3:
        raise exceptions.ServiceUnavailable("not now")
    return "done"


print(flaky(), len(calls), exceptions.from_http_status(404, "gone"))
print(datetime_helpers.from_rfc3339("2024-01-01T00:00:00Z").year, operation.Operation.__name__, page_iterator.Page.__name__)

import exceptiongroup
from exceptiongroup import ExceptionGroup, catch, suppress

with catch({ValueError: lambda group: print("caught", group.exceptions)}):
    raise ExceptionGroup("two", [ValueError("a"), ValueError("b")])
with suppress(KeyError):
    raise KeyError
print(exceptiongroup.format_exception(ExceptionGroup("g", [OSError(1)]))[-1].strip())

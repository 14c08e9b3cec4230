"""The command on a machine that is no Linux, as far as a program can notice: ``python -m tests.support.no_linux``."""

from __future__ import annotations

import builtins
import io
import os
import sys
import sysconfig
import types
from typing import Any

# Of the module os: what only Linux has
ABSENT = (
    *("O_TMPFILE", "copy_file_range", "memfd_create", "pidfd_open"),
    *("sched_getaffinity", "sendfile", "setns", "unshare"),
)


def pretend() -> None:
    """Be a Mac from now on; what belongs to Linux raises :class:`AttributeError` or :class:`FileNotFoundError`."""
    sysconfig.get_config_vars()  # reads a module that only Linux's Python has
    proxies: Any = types.ModuleType("_scproxy")  # which a Mac's urllib imports
    proxies._get_proxy_settings = proxies._get_proxies = dict  # noqa: SLF001
    sys.modules["_scproxy"] = proxies
    sys.platform = "darwin"
    for name in ABSENT:
        if hasattr(os, name):
            delattr(os, name)
    real: Any = io.open

    def opened(path: Any, *arguments: Any, **options: Any) -> Any:
        if isinstance(path, str | os.PathLike) and os.fspath(path).startswith(("/proc/", "/sys/")):
            raise FileNotFoundError(2, "there is no such file system", path)
        return real(path, *arguments, **options)

    for module in (builtins, io):
        setattr(module, "open", opened)  # noqa: B010  # a type checker wants the same overloads


if __name__ == "__main__":
    pretend()
    from cannery.__main__ import main

    sys.argv[0] = "cannery"
    main()

"""The check that a Python can be frozen: staticx needs one on glibc, PyInstaller one with a shared libpython."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

from cannery.errors import RuntimeTreeError
from cannery.workspace.keys import code_key, key_of

if TYPE_CHECKING:
    from cannery.python.interpreter import Interpreter
    from cannery.workspace.workspace import Workspace

__all__ = ["check_python"]

# Looks for libpython where PyInstaller does (PyInstaller.depend.bindepend): a distributor's may lie in a folder of its
# own, one that somebody built lies below the prefix or nowhere.
_QUESTIONS = """
import glob, json, os, platform, sys, sysconfig
ask = sysconfig.get_config_var
name = ask("INSTSONAME") or ""
shared = bool(ask("Py_ENABLE_SHARED"))
own = [os.path.join(sys.base_prefix, "lib"), sys.base_prefix]
folders = [ask("LIBDIR") or "", os.path.join(ask("LIBDIR") or "", ask("MULTIARCH") or ""), *own] if shared else own
names = [name] if shared else ["libpython%d.%d%s.so*" % (*sys.version_info[:2], sys.abiflags)]
found = [path for folder in folders for each in names for path in glob.glob(os.path.join(folder, each))]
print(json.dumps({"libc": platform.libc_ver(sys.executable)[0], "library": found[:1], "name": name, "debian":
    os.path.isfile("/etc/debian_version") and sys.base_prefix == "/usr"}))
"""


def check_python(interpreter: Interpreter, workspace: Workspace) -> None:
    """Raise :class:`RuntimeTreeError` where ``interpreter`` can't be frozen; asked once for each installation."""
    key = key_of("freezable", code_key(__name__), interpreter.fingerprint)
    if workspace.cache.recall("freezable", key) is not None:
        return
    answers = json.loads(workspace.run([str(interpreter.executable), "-I", "-c", _QUESTIONS]).stdout)
    if answers["libc"] != "glibc":
        raise RuntimeTreeError(
            f"{interpreter.executable} is linked against another C library than glibc",
            evidence="staticx makes programs for glibc alone" if not answers["libc"] else answers["libc"],
            step="take the recipe scratch, which packs musl's Python as well; or build where Python is linked to glibc",
        )
    if not answers["library"]:
        version = ".".join(map(str, interpreter.version[:2]))
        install = (
            f"apt-get install libpython{version}"
            if answers["debian"]
            else "build it with --enable-shared (pyenv: PYTHON_CONFIGURE_OPTS=--enable-shared pyenv install), "
            "or take the recipe scratch"
        )
        raise RuntimeTreeError(
            f"{interpreter.executable} has no shared library of Python, which PyInstaller needs",
            evidence=f"looked for {answers['name']}",
            step=install,
        )
    workspace.cache.remember("freezable", key, answers)

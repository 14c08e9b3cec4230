"""Run by a Python that has Cython: turns modules into extension modules, each in a process of its own.

Most of the time of a first module goes into what Cython prepares for all. So that is done once, with a module that is
always the same, and each module is compiled in a fresh copy of that process: what comes out depends on nothing but the
module itself, and all cores work.

Reads a request in JSON from standard input, and prints in JSON how each job went; what was said lies in its folder.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import sysconfig
import traceback
from typing import Any

from Cython.Compiler import Options
from Cython.Compiler.Main import CompilationOptions, compile_single

DONE, REFUSED, FAILED = 0, 3, 4  # 1 is for an exception that nobody foresaw
OUTCOMES = {DONE: "done", REFUSED: "refused"}  # else the compiler, or Cython itself, failed
STANDARD_LIBRARY = {os.path.dirname(os.__file__), sysconfig.get_config_var("DESTSHARED")}
LANGUAGE_LEVELS = ("2", "3", "3str")  # which Cython takes as they come, and stumbles over

# Something of all that modules commonly have, so that Cython has read what it needs for it.
WARMING = '''
"""A module."""
import os.path as path
from sys import argv
X = {"a": [1, 2.5, None], **{}}
class A(Exception):
    b: int = 0
    @property
    def c(self): return self.b
    def d(self, *e, f=1, **g): return super().__repr__()
def h(i, j=2):
    try:
        with open(i) as k:
            for l, m in enumerate(k): yield f"{l!r:>{j}}", lambda n: n + m
    except (OSError, ValueError) as o: raise A("p") from o
    finally: print([q for q in X if q not in argv], X["a"][1:], i.r is None)
async def s(): return await s()
'''


def complaints(request: dict[str, Any]) -> dict[str, str]:
    """What is wrong with the directives, by their names."""
    found = {}
    for name, value in request["directives"].items():
        if name not in Options.get_directive_defaults():
            found[name] = "unknown"
            continue
        if name == "language_level" and str(value) not in LANGUAGE_LEVELS:
            found[name] = f"language_level directive must be one of {', '.join(LANGUAGE_LEVELS)}, got {value!r}"
        try:
            Options.parse_directive_value(name, str(value))
        except ValueError as error:
            found[name] = str(error)
    return found


def to_c(source: str, module: str, directives: dict[str, Any]) -> bool:
    """Write ``module.c``; False where Cython refuses, and says why on standard error."""
    options = CompilationOptions(
        output_file="module.c",
        compiler_directives={"emit_code_comments": False, **directives},
        c_line_in_traceback=False,
        emit_linenums=False,
    )
    return bool(compile_single(source, options, full_module_name=module).num_errors == 0)


def compile_module(job: dict[str, str], request: dict[str, Any]) -> int:
    """Write ``module.so`` into the job's folder."""
    if not to_c(job["source"], job["module"], request["directives"]):
        return REFUSED
    place = [f"-ffile-prefix-map={job['folder']}=.", "module.c", "-o", "unfinished.so"]
    done = subprocess.run(  # noqa: S603  # the command is a list: no shell reads it
        [*request["compiler"], *place],
        check=False,
        stdin=subprocess.DEVNULL,
        env={**os.environ, "TMPDIR": job["folder"]},
    )
    if done.returncode:
        return FAILED
    os.replace("unfinished.so", "module.so")  # whoever is interrupted keeps what is whole
    return DONE


def start(job: dict[str, str], request: dict[str, Any]) -> int:
    """Start a process for one module, which says what it has to say in the file ``said``; returns its process ID."""
    child = os.fork()
    if child:
        return child
    status = 1
    try:
        os.chdir(job["folder"])
        said = os.open("said", os.O_WRONLY | os.O_CREAT | os.O_TRUNC)
        os.dup2(said, 1)
        os.dup2(said, 2)
        status = compile_module(job, request)
    except BaseException:  # noqa: BLE001  # this process knows of nobody else who would say it
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(status)


def finish(running: dict[int, int], outcomes: list[str]) -> None:
    """Wait for one process."""
    child, wait_status = os.wait()
    outcomes[running.pop(child)] = OUTCOMES.get(os.waitstatus_to_exitcode(wait_status), "failed")


def warm_up(folder: str, directives: dict[str, Any]) -> None:
    """Have Cython prepare all that it prepares once."""
    os.chdir(folder)
    with open("warming.py", "w", encoding="utf-8") as stream:
        stream.write(WARMING)
    to_c("warming.py", "warming", directives)


def main() -> None:
    """Compile the modules of the request, as many at a time as it allows."""
    request = json.load(sys.stdin)
    jobs, parent = request["jobs"], os.getppid()
    if wrong := complaints(request):
        json.dump({"directives": wrong, "known": sorted(Options.get_directive_defaults())}, sys.stdout)
        return
    # Python finds out about names when it meets them. Builtins are looked up but once all the same: without that cache,
    # Cython 3.3 writes no code that prepares the methods of builtin types, and calling one crashes.
    Options.error_on_unknown_names = Options.error_on_uninitialized = False
    warm_up(request["folder"], request["directives"])
    # Cython, all of which is imported by now, looks for a module's package on the path, and writes other code where
    # the project is installed.
    sys.path[:] = [path for path in sys.path if path in STANDARD_LIBRARY]
    outcomes = ["failed"] * len(jobs)
    running: dict[int, int] = {}
    for number, job in enumerate(jobs):
        if len(running) >= request["at_once"]:
            finish(running, outcomes)
        if os.getppid() != parent:
            sys.exit("nobody waits for this any more")
        running[start(job, request)] = number
    while running:
        finish(running, outcomes)
    json.dump({"outcomes": outcomes}, sys.stdout)


if __name__ == "__main__":
    main()

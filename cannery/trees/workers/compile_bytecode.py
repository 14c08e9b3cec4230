"""Run by the image's own interpreter: compiles modules, each in a process of its own.

What ``marshal`` writes depends on which strings are interned or shared at that moment (python/cpython#78274). So every
module is compiled in a fresh copy of one process, which imports what's frozen or built in and no more, and which
interns the strings that others may or may not have interned before: the bytes are the same in whatever order, and with
whatever neighbours, modules come.

Reads jobs from standard input (source, target, name and optimization level, each ended by a zero byte) and prints the
name and the error of each that can't be compiled, in the same form.
"""

import _frozen_importlib_external
import _imp
import marshal
import os
import sys

UNCHECKED_HASH = (1).to_bytes(4, "little")  # PEP 552
MAGIC = _frozen_importlib_external.MAGIC_NUMBER

NOT_PYTHON = 3  # 1 is for an exception that nobody foresaw
FAILED = 4


def compile_module(source: str, target: str, name: str, optimize: int, scratch: str) -> None:
    """Write the bytecode of ``source`` to ``target``: a .pyc file, hash-based and unchecked.

    It's made in the folder ``scratch``, which somebody removes whatever happens here.
    """
    with open(source, "rb") as stream:
        text = stream.read()
    code = compile(text, name, "exec", dont_inherit=True, optimize=optimize)
    checksum = _imp.source_hash(int.from_bytes(MAGIC, "little"), text)
    beside = f"{scratch}/{os.getpid()}.pyc"
    with open(beside, "wb") as stream:
        stream.write(MAGIC + UNCHECKED_HASH + checksum + marshal.dumps(code))
    os.replace(beside, target)


def start(source: str, target: str, name: str, optimize: int, scratch: str) -> tuple[int, int]:
    """Start a process for one module; returns its process ID and the pipe that a complaint comes through."""
    reader, writer = os.pipe()
    child = os.fork()
    if child:
        os.close(writer)
        return child, reader
    status = 0
    try:
        compile_module(source, target, name, optimize, scratch)
    except (SyntaxError, ValueError, RecursionError, MemoryError) as error:
        where = f"line {error.lineno}: " if isinstance(error, SyntaxError) and error.lineno else ""
        os.write(writer, f"{where}{getattr(error, 'msg', None) or error}".encode(errors="replace"))
        status = NOT_PYTHON
    except OSError as error:
        os.write(writer, str(error).encode(errors="replace"))
        status = FAILED
    os._exit(status)


def finish(running: dict[int, tuple[str, int]]) -> tuple[str, str]:
    """Wait for one process; returns the module's name and what it complained of."""
    child, wait_status = os.wait()
    name, reader = running.pop(child)
    with os.fdopen(reader, "rb") as stream:
        message = stream.read().decode()
    status = os.waitstatus_to_exitcode(wait_status)
    if status not in {0, NOT_PYTHON}:
        sys.exit(f"compiling {name}: {message or f'ended with {status}'}")
    return name, message


def main(at_once: int, scratch: str) -> None:
    """Compile every module that standard input names, ``at_once`` of them at a time."""
    for number in range(256):
        sys.intern(chr(number))
    words = os.fsdecode(sys.stdin.buffer.read()).split("\0")[:-1]
    parent = os.getppid()
    running: dict[int, tuple[str, int]] = {}
    complaints: list[tuple[str, str]] = []
    for source, target, name, optimize in zip(*[iter(words)] * 4, strict=True):
        if len(running) >= at_once:
            complaints.append(finish(running))
        if os.getppid() != parent:
            sys.exit("nobody waits for this any more")
        child, reader = start(source, target, name, int(optimize), scratch)
        running[child] = (name, reader)
    while running:
        complaints.append(finish(running))
    for name, message in complaints:
        if message:
            sys.stdout.buffer.write(os.fsencode(f"{name}\0{message}\0"))


if __name__ == "__main__":
    main(int(sys.argv[1]), sys.argv[2])

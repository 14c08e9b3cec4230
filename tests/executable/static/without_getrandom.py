"""Starts the program that its arguments name under a filter of system calls, by which the kernel has no getrandom."""

from __future__ import annotations

import ctypes
import errno
import os
import struct
import sys

_NUMBER_OF_GETRANDOM = 318  # on x86-64
_LOAD, _EQUAL, _RETURN = 0x20, 0x15, 0x06  # of classic BPF
_ALLOW, _FAIL = 0x7FFF0000, 0x00050000
_NO_NEW_PRIVILEGES, _SECCOMP, _FILTER = 38, 22, 2  # of prctl

INSTRUCTIONS = (
    (_LOAD, 0, 0, 0),
    (_EQUAL, 0, 1, _NUMBER_OF_GETRANDOM),
    (_RETURN, 0, 0, _FAIL | errno.ENOSYS),
    (_RETURN, 0, 0, _ALLOW),
)

packed = ctypes.create_string_buffer(b"".join(struct.pack("=HBBI", *each) for each in INSTRUCTIONS))
program = struct.pack("=HxxxxxxQ", len(INSTRUCTIONS), ctypes.addressof(packed))
prctl = ctypes.CDLL(None, use_errno=True).prctl
if prctl(_NO_NEW_PRIVILEGES, 1, 0, 0, 0) or prctl(_SECCOMP, _FILTER, ctypes.c_char_p(program), 0, 0):
    sys.exit(os.strerror(ctypes.get_errno()))
os.execv(sys.argv[1], sys.argv[1:])  # noqa: S606  # its own arguments

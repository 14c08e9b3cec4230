"""The kit that static executables are linked from: CPython and its libraries, built by zig."""

"""What static executables are linked from: CPython and its libraries, built by Zig."""

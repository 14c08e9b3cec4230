"""What a build may touch of the machine: cache, files, programs, whoever watches."""

"""How well cannery does what it promises: ``python -m benchmarks --help``, docs/benchmarks.md."""

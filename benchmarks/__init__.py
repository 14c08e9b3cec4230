"""Measurements of what cannery promises: ``python -m benchmarks --help``, docs/benchmarks.md."""

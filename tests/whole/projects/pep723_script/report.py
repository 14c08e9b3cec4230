#!/usr/bin/env -S uv run --script
# /// script
# requires-python = ">=3.11"
# dependencies = ["rich>=13", "pyyaml>=6"]
# ///
"""A report of a few numbers."""
import sys

import yaml
from rich.console import Console
from rich.table import Table

numbers = yaml.safe_load("apples: 3\npears: 4\n")
table = Table("fruit", "count", title="Stock")
for name, count in numbers.items():
    table.add_row(name, str(count))
Console(width=40).print(table)
sys.exit(0 if sum(numbers.values()) == 7 else 1)

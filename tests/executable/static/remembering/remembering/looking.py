"""Knows from its import on whether there is a terminal."""

import sys

COLOURED = sys.stdout.isatty()

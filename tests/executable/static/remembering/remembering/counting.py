"""Knows from its import on how many processors there are."""

import os

COUNT = os.cpu_count()

"""Has all variables from its import on."""

import os

ALL = dict(os.environ)

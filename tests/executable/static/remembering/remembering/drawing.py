"""A module that can't be part of a snapshot: it draws a number when it's imported."""

import random

DRAWN = random.Random().random()

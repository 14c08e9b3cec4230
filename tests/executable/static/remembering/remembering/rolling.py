"""Draws a number when it's imported, from the generator that the module random has for all."""

import random

ROLLED = random.random()

"""Usage:
  oldtool show
  oldtool --version
"""
import os
from importlib.metadata import version

import toml
from docopt import docopt


def main():
    found = docopt(__doc__, version=version("old-tool"))
    if found["show"]:
        print(toml.load(os.path.join(os.path.dirname(__file__), "defaults.toml")))

import sys
from importlib.metadata import entry_points

import pluggy

spec = pluggy.HookspecMarker("plugged")


class Spec:
    @spec
    def greet(self):
        """Greet."""


def main():
    manager = pluggy.PluginManager("plugged")
    manager.add_hookspecs(Spec)
    print("loaded", manager.load_setuptools_entrypoints("plugged"), manager.hook.greet())
    for each in sorted(entry_points(group="plugged.formats"), key=lambda each: each.name):
        print(each.name, each.load()().show({"a": sys.argv[1:]}))

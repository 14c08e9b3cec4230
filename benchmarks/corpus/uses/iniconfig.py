import tempfile

from iniconfig import IniConfig, ParseError

config = IniConfig("given", data="[a]\nx = 1\nnames = b\n  c\n[empty]\n")
print(config["a"].get("x", convert=int), config["a"]["names"].split(), list(config.sections), config.lineof("a", "x"))
try:
    IniConfig("wrong", data="[a]\n[a]\n")
except ParseError as error:
    print(error)

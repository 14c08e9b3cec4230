import io
import os
import pathlib
import tempfile

from dotenv import dotenv_values, find_dotenv, load_dotenv, set_key

print(dict(dotenv_values(stream=io.StringIO("A=1\nexport B='two words'\nC=${A}3\n# no\nD"))))
with tempfile.TemporaryDirectory() as folder:
    path = pathlib.Path(folder, ".env")
    path.write_text("NAME=value\n")
    set_key(str(path), "OTHER", "x y")
    print(load_dotenv(path), os.environ["NAME"], path.read_text().split("\n")[1])
print(find_dotenv("no-such.env") == "")

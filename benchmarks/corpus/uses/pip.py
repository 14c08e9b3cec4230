import subprocess
import sys

done = subprocess.run([sys.executable, "-m", "pip", "--version"], capture_output=True, text=True)
print(done.returncode, done.stdout.split()[:2])
from pip._internal.cli.main import main

print(main(["list", "--format=freeze", "--disable-pip-version-check"]))

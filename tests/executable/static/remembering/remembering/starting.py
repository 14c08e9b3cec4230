"""Starts a program when it's imported."""

import subprocess

SAID = subprocess.run(["/bin/echo", "here"], capture_output=True, text=True).stdout

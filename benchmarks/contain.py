"""Run as a script: ``contain.py ROOT CONFIG ARGS`` runs the embedded runner and nothing else of cannery's.

The last line of the output is the time from the call of the runner to its return, in seconds.
"""

import json
import sys
import time
from pathlib import Path

from cannery.containers.sandbox.container import container_in
from cannery.containers.sandbox.runner import run_container

if __name__ == "__main__":
    root, config = map(Path, sys.argv[1:3])
    container = container_in(root, json.loads(config.read_bytes()), sys.argv[3:])
    began = time.perf_counter()
    code = run_container(container)
    print(time.perf_counter() - began)
    sys.exit(code)

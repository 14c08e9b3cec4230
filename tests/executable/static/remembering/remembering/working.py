"""Has a thread from its import on."""

import threading

DONE = threading.Event()
threading.Thread(target=DONE.wait, daemon=True).start()

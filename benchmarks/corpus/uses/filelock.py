import os
import tempfile

from filelock import FileLock, SoftFileLock, Timeout

with tempfile.TemporaryDirectory() as folder:
    path = os.path.join(folder, "it.lock")
    with FileLock(path) as lock:
        print(lock.is_locked)
        try:
            FileLock(path, timeout=0, is_singleton=False).acquire()
        except Timeout as error:
            print(type(error).__name__)
    with SoftFileLock(path + ".soft"):
        print(os.path.exists(path + ".soft"))

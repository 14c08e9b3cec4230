import os

import psutil

me = psutil.Process()
print(me.pid == os.getpid(), me.is_running(), me.memory_info().rss > 0, psutil.cpu_count() > 0, psutil.virtual_memory().total > 0)
print(psutil.pid_exists(1), psutil.boot_time() > 0, psutil.disk_usage("/").total > 0, me.num_threads())
try:
    psutil.Process(2**22 + 5)
except psutil.NoSuchProcess as error:
    print(type(error).__name__)

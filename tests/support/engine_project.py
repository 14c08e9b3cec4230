"""The project that the tests put into engines."""

from __future__ import annotations

PYPROJECT = """
    [tool.cannery]
    name = "tinned"
    ports = ["{published}:{port}"]
    volumes = ["/data"]
    env = {{GREETING = "hello"}}
    user = 1234
"""

PROGRAM = '''
    """Does what its arguments say."""

    import http.server
    import json
    import os
    import signal
    import sys
    import time


    def show() -> None:
        """What the program is given."""
        status = dict(line.split(":", 1) for line in open("/proc/self/status"))
        print(json.dumps({
            "arguments": sys.argv[2:],
            "environment": dict(os.environ),
            "user": [os.getuid(), os.getgid()],
            "capabilities": int(status["CapEff"], 16) | int(status["CapPrm"], 16),
            "no new privileges": int(status["NoNewPrivs"]),
            "folders": {path: writable(path) for path in ("/", "/app", "/data", "/tmp")},
            "terminal": [os.isatty(number) for number in (0, 1, 2)],
        }))


    def writable(folder):
        try:
            with open(folder + "/x", "w"):
                return True
        except OSError:
            return False


    def streams():
        """Both streams, as much as no buffer takes, and what is given."""
        sys.stderr.write("e" * 200_000)
        sys.stdout.write(sys.stdin.read())


    def catch():
        """Say which signal came, and end with its number."""
        def end(number, frame):
            print("caught", signal.Signals(number).name)
            sys.exit(number)
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            signal.signal(number, end)
        wait()


    def deaf():
        """Hear no signal."""
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, signal.SIG_IGN)
        wait()


    def itself():
        """Send this process the signal that the arguments name, which nothing here handles."""
        os.kill(os.getpid(), int(sys.argv[2]))
        print("still here")


    def abort():
        os.abort()


    def orphan():
        """Leave a process to process 1, which has to see its end: else its ID stays."""
        told, tell = os.pipe()
        if os.fork() == 0:
            if os.fork() == 0:
                os.write(tell, str(os.getpid()).encode())
            os._exit(0)
        os.wait()
        path = f"/proc/{int(os.read(told, 10))}"
        while os.path.exists(path):
            time.sleep(0.01)
        print("reaped")


    def count():
        """Say how many SIGTERM came within a second of the first."""
        came = []
        signal.signal(signal.SIGTERM, lambda *_: came.append(1))
        print("ready", flush=True)
        while not came:
            time.sleep(0.1)
        for _ in range(10):
            time.sleep(0.1)
        print(len(came), flush=True)


    def wait():
        print("ready", flush=True)
        while True:
            time.sleep(1)


    def size():
        """The terminal's size, whenever it changes."""
        signal.signal(signal.SIGWINCH, lambda *_: print("size", *os.get_terminal_size(), flush=True))
        print("size", *os.get_terminal_size(), flush=True)
        wait()


    def fail():
        sys.exit(3)


    def serve():
        server = http.server.HTTPServer(("", int(sys.argv[2])), http.server.SimpleHTTPRequestHandler)
        print("ready", flush=True)
        server.handle_request()


    globals()[sys.argv[1]]()
'''

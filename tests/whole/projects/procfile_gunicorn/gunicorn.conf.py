keepalive = 3


def on_starting(server):
    server.log.info("starting")

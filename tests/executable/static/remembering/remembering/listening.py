"""Has a socket from its import on."""

import socket

SOCKET = socket.socket()

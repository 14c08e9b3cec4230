"""Stands where ssl was left out: what libraries name without using TLS is here, all else is an ImportError.

The numbers are those of the real module, the exceptions have its names and bases.
"""

from _cannery_importer import left_out

CERT_NONE, CERT_OPTIONAL, CERT_REQUIRED = range(3)
PROTOCOL_SSLv23 = PROTOCOL_TLS = 2
PROTOCOL_TLS_CLIENT, PROTOCOL_TLS_SERVER = 16, 17
SSL_ERROR_SSL, SSL_ERROR_WANT_READ, SSL_ERROR_WANT_WRITE = 1, 2, 3
SSL_ERROR_SYSCALL, SSL_ERROR_ZERO_RETURN, SSL_ERROR_EOF = 5, 6, 8


class SSLError(OSError):
    """An error of TLS, which never happens here."""


class SSLZeroReturnError(SSLError):
    """The same."""


class SSLWantReadError(SSLError):
    """The same."""


class SSLWantWriteError(SSLError):
    """The same."""


class SSLSyscallError(SSLError):
    """The same."""


class SSLEOFError(SSLError):
    """The same."""


class SSLCertVerificationError(SSLError, ValueError):
    """The same."""


CertificateError = SSLCertVerificationError


class SSLSocket:
    """No socket is one of these."""

    def __init__(self, *args, **kwargs):
        raise ImportError(left_out("ssl"), name="ssl")


def __getattr__(name):
    if name.startswith("__"):
        raise AttributeError(name)
    raise ImportError(left_out("ssl"), name="ssl")

"""Where the service is reached: its listening sockets, and whether its certificate can be used.

Asked once, by the parent, before there are workers. What cannot be offered is one sentence.
"""

import socket
import ssl
from errno import EADDRINUSE

from meiku.config import Settings

BACKLOG = 2048
# Of one answer, in the kernel and not yet sent. tcp(7) lacks it: https://lwn.net/Articles/560082/
UNSENT_BYTES = 256 << 10
_TCP_NOTSENT_LOWAT = 25


class ServeError(Exception):
    """The service cannot be offered as it is configured; the sentence says why."""


def listen(settings: Settings) -> list[socket.socket]:
    """Listen on every address that the host's name stands for; raise `ServeError` when one is taken."""
    where = f"{settings.host}:{settings.port}"
    sockets: list[socket.socket] = []
    port = settings.port
    try:
        found = socket.getaddrinfo(settings.host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
        for family, _, _, _, address in dict.fromkeys(found):
            sockets.append(_listener(family, (address[0], port, *address[2:]), alone=len(found) == 1))
            # Port 0: what the system chose for the first address serves for the others too.
            port = sockets[0].getsockname()[1]
    except OSError as error:
        for listener in sockets:
            listener.close()
        hint = "; --port chooses another port" if error.errno == EADDRINUSE else ""
        raise ServeError(f"cannot listen on {where}: {error.strerror or error}{hint}") from None
    return sockets


def _listener(family: int, address: tuple[object, ...], *, alone: bool) -> socket.socket:
    listener = socket.socket(family, socket.SOCK_STREAM)
    try:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            # Alone, "::" is both families; beside an IPv4 address of the same name it must leave that one be.
            listener.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, int(not alone))
        # What is accepted inherits it: the kernel takes no more of an answer than its reader soon will.
        listener.setsockopt(socket.IPPROTO_TCP, _TCP_NOTSENT_LOWAT, UNSENT_BYTES)
        listener.bind(address)
        # Here and not only in the workers: two servers may bind one port, but only one may listen.
        listener.listen(BACKLOG)
    except BaseException:
        listener.close()
        raise
    return listener


def check_certificate(settings: Settings) -> None:
    """Raise `ServeError` when TLS is asked for with files that do not belong together."""
    if settings.tls_certificate is None:
        return
    try:
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(
            settings.tls_certificate,
            settings.tls_key,
            password=bytes,  # an encrypted key is an error, not a prompt
        )
    except (OSError, ssl.SSLError) as error:
        files = f"{settings.tls_certificate} with {settings.tls_key}"
        raise ServeError(f"cannot use the TLS certificate {files}: {error.strerror or error}") from None

"""The HTTP server: one process, on an address that only this machine reaches."""

import errno
import socket

import uvicorn

from app.access.loopback import check_loopback
from app.main import create_app
from tonnage.errors import PortInUse
from tonnage.wiring import House


def serve_until_stopped(house: House, host: str | None, port: int | None) -> None:
    """Serve until SIGINT or SIGTERM; raises `UnsafeAddress` or `PortInUse` before anything starts."""
    address = (host or house.service.host, port or house.service.port)
    check_loopback(address[0])
    listener = _listen(*address)
    config = uvicorn.Config(create_app(house.engine), log_level="info", access_log=False)
    uvicorn.Server(config).run(sockets=[listener])


def _listen(host: str, port: int) -> socket.socket:
    """Bind here rather than in uvicorn, which would only log that the port is taken."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listener = socket.socket(family, socket.SOCK_STREAM)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listener.bind((host, port))
    except OSError as error:
        listener.close()
        if error.errno == errno.EADDRINUSE:
            raise PortInUse(host, port) from error
        raise
    return listener

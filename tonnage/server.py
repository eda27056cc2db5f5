"""The HTTP server: one process, which answers to those who show who they are."""

import errno
import signal
import socket
import sys
from contextlib import suppress

import uvicorn

from app.access.oidc import open_issuer
from app.main import create_app
from app.surroundings import Surroundings
from tonnage import clock
from tonnage.errors import PortInUse
from tonnage.facts import gather_facts
from tonnage.predictor import ProcessPredictor
from tonnage.progress import log
from tonnage.stores import Stores


def serve_until_stopped(stores: Stores, host: str | None, port: int | None) -> None:
    """Serve until SIGINT or SIGTERM; raises `PortInUse` and `BadIssuerSettings` before anything starts."""
    service = stores.service
    issuer = open_issuer(service.oidc_issuer, service.oidc_audience, service.oidc_jwks_url, clock.seconds)
    address = (host or service.host, port or service.port)
    listener = _listen(*address)
    # Uvicorn raises the signal anew once it has drained; as an exit it also stops the embedded database.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    predictor = ProcessPredictor()
    predictor.warm()
    surroundings = Surroundings(lambda: gather_facts(stores, clock.now()), predictor, issuer)
    config = uvicorn.Config(create_app(stores.engine, surroundings), log_level="warning", access_log=False)
    server = uvicorn.Server(config)
    log.info("serving", url=f"http://{address[0]}:{address[1]}", stop="Ctrl-C")
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        predictor.close()
    # A second Ctrl-C, or the one that a parent passes on, must not stop the embedded database half-way down.
    signal.signal(signal.SIGINT, signal.SIG_IGN)


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

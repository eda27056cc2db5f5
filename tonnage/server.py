"""The HTTP server: one process, which answers to those who show who they are."""

import errno
import gc
import os
import resource
import signal
import socket
import sys
from contextlib import suppress
from types import FrameType
from typing import override

import uvicorn
from fastapi import FastAPI

from app.access.oidc import open_issuer
from app.access.sessions import Sessions
from app.edge.draining import Draining
from app.edge.limits import Limits
from app.errors import BadSessionSecret
from app.main import LINES, create_app
from app.settings import Settings
from app.store.engine import Patience
from app.surroundings import Surroundings
from tonnage import clock
from tonnage.errors import PortInUse
from tonnage.facts import gather_facts
from tonnage.predictor import ProcessPredictor
from tonnage.progress import log
from tonnage.slow_clients import cut_off_the_slow, protocol_for
from tonnage.stores import Stores
from tonnage.tracking import models_at

BACKLOG = 4_096
LEAST_SECRET = 32
SECONDS_OF_A_TURN = 0.0005
TICKS_PER_SECOND = 10  # uvicorn's own


def serve_until_stopped(stores: Stores, host: str | None, port: int | None) -> None:
    """Serve until SIGINT or SIGTERM.

    Raises `PortInUse`, `BadIssuerSettings` and `BadSessionSecret` before anything starts.
    """
    settings = stores.service
    issuer = open_issuer(settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url, clock.seconds)
    sessions = sessions_of(settings)
    address = (host or settings.host, port or settings.port)
    listener = _listen(*address)
    # Uvicorn raises the signal anew once it has drained; as an exit it also stops the embedded database.
    signal.signal(signal.SIGTERM, lambda number, frame: sys.exit(0))
    predictor = ProcessPredictor()
    predictor.warm()
    engine = stores.open_for_service(patience_of(settings))
    surroundings = Surroundings(
        lambda: gather_facts(stores, clock.now()), predictor, issuer, sessions, models_at(stores.settings)
    )
    server = server_for(create_app(engine, surroundings, limits_of(settings)), settings)
    log.info("serving", url=f"http://{address[0]}:{address[1]}", stop="Ctrl-C")
    try:
        with suppress(KeyboardInterrupt):
            server.run(sockets=[listener])
    finally:
        predictor.close()
    # A second Ctrl-C, or the one that a parent passes on, must not stop the embedded database half-way down.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    engine.dispose()


def server_for(app: FastAPI, settings: Settings) -> "Server":
    """The server of an application, not started yet."""
    config = uvicorn.Config(
        app,
        http=protocol_for(_raise_file_limit()),
        ws="none",
        log_level="warning",
        access_log=False,
        server_header=False,
        backlog=BACKLOG,
        timeout_graceful_shutdown=settings.drain_seconds,
    )
    return Server(config, app.state.draining, settings.notice_seconds)


class Server(uvicorn.Server):
    """Uvicorn that tells of its end before it ends, and cuts off slow callers.

    On SIGTERM the process is no longer ready, and still answers, for `notice` seconds, so that whoever sends
    callers here can stop; then it takes no new connections, and ends what it has begun. A second signal ends
    the notice.
    """

    def __init__(self, config: uvicorn.Config, draining: Draining, notice: float) -> None:
        super().__init__(config)
        self._draining = draining
        self._ticks_left: int | None = None
        self._notice = notice

    @override
    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        await super().startup(sockets)
        # What is there now stays; to look through it again and again would hold up a request each time.
        gc.collect()
        gc.freeze()
        # Threads write the trail and read long answers beside the loop; it must get its turn back soon.
        sys.setswitchinterval(SECONDS_OF_A_TURN)

    @override
    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        first = not self._draining.begun
        self._draining.begun = True
        if first and sig == signal.SIGTERM and self._notice > 0:
            self._captured_signals.append(sig)
            self._ticks_left = round(self._notice * TICKS_PER_SECOND)
            return
        super().handle_exit(sig, frame)

    @override
    async def on_tick(self, counter: int) -> bool:
        if counter % TICKS_PER_SECOND == 0 and self.server_state.connections:
            loop = next(iter(self.server_state.connections)).loop
            if cut := cut_off_the_slow(self.server_state, loop.time()):
                log.warning("slow callers cut off", connections=cut)
        if self._ticks_left is not None:
            self._ticks_left -= 1
            self.should_exit = self.should_exit or self._ticks_left <= 0
        return await super().on_tick(counter)


def limits_of(settings: Settings) -> Limits:
    """What one caller may take."""
    return Limits(
        body=settings.max_body, rate=settings.rate, burst=settings.burst, cache=settings.cache_bytes
    )


def patience_of(settings: Settings) -> Patience:
    """What the service takes of its database."""
    return Patience(settings.connections - LINES, settings.statement_seconds)


def sessions_of(settings: Settings) -> Sessions:
    """Who has signed in at the page: signed by the settings' secret, or by one of this process alone."""
    secret = b"" if settings.session_secret is None else settings.session_secret.get_secret_value().encode()
    if 0 < len(secret) < LEAST_SECRET:
        raise BadSessionSecret(LEAST_SECRET)
    return Sessions(secret or os.urandom(LEAST_SECRET), lambda: clock.now().timestamp())


def _raise_file_limit() -> int:
    """Let this process have as many connections open as the machine allows; how many files that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = 65_536 if hard == resource.RLIM_INFINITY else min(hard, 65_536)
    if wanted > soft:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return max(wanted, soft)


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
    listener.listen(BACKLOG)  # whoever comes from now on waits for the start instead of being refused
    return listener

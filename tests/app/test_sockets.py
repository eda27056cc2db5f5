"""The server on real sockets: huge bodies, slow callers, ten thousand connections, the end of a process."""

import asyncio
import json
import os
import resource
import select
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPResponse

import pytest
from fastapi.responses import StreamingResponse
from sqlalchemy import Engine

from app.access.caller import Role
from app.access.rules import RULES, Rule
from app.edge.limits import Limits
from app.main import create_app
from app.settings import Settings
from tonnage.server import Server, server_for
from tonnage.slow_clients import SECONDS_TO_ASK, SECONDS_TO_READ, cut_off_the_slow

MANY = 10_000
OPEN_FILES = 300  # of the test itself


@dataclass
class Running:
    """A server in a thread, and what its odd routes wait for."""

    server: Server
    port: int
    loop: asyncio.AbstractEventLoop
    go_on: threading.Event
    begun: threading.Event
    opened: ExitStack
    key: str

    def http(self) -> HTTPConnection:
        connection = HTTPConnection("127.0.0.1", self.port, timeout=20)
        self.opened.callback(connection.close)
        return connection

    def get(self, path: str) -> tuple[int, dict[str, str], bytes]:
        return get(self.port, path, self.key)

    def connect(self, receive: int | None = None) -> socket.socket:
        raw = self.opened.enter_context(socket.socket())
        if receive is not None:
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        raw.settimeout(20)
        raw.connect(("127.0.0.1", self.port))
        return raw

    def look(self, seconds: float) -> int:
        """Look for slow callers as if so many seconds had gone by."""

        async def inside() -> int:
            return cut_off_the_slow(self.server.server_state, self.loop.time() + seconds)

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(20)

    def waiting(self) -> list[object]:
        """The connections whose caller leaves an answer unread."""

        async def inside() -> list[object]:
            return [each for each in self.server.server_state.connections if each.unread_since is not None]  # type: ignore[union-attr]

        return asyncio.run_coroutine_threadsafe(inside(), self.loop).result(20)


def get(port: int, path: str, key: str) -> tuple[int, dict[str, str], bytes]:
    with closing(HTTPConnection("127.0.0.1", port, timeout=60)) as connection:
        connection.request("GET", path, headers={"Authorization": f"Bearer {key}"})
        return read(connection.getresponse())


def read(answer: HTTPResponse) -> tuple[int, dict[str, str], bytes]:
    body = answer.read()
    return answer.status, {name.lower(): value for name, value in answer.getheaders()}, body


def broken_off(raw: socket.socket) -> bool:
    """Whether an answer in chunks ends before its last one."""
    end = b""
    try:
        while piece := raw.recv(1_000_000):
            end = (end + piece)[-5:]
    except ConnectionResetError:
        return True
    return end != b"0\r\n\r\n"


def refused(running: Running) -> bool:
    """Ask until nobody listens any more."""
    while True:
        try:
            running.get("/health/live")
        except OSError:
            return True


@pytest.fixture
def running(engine: Engine, key_of: Callable[..., str], monkeypatch: pytest.MonkeyPatch) -> Iterator[Running]:
    app = create_app(engine, limits=Limits(body=1_000_000))
    key = key_of(engine)
    for path in ("/slowly", "/endless"):
        monkeypatch.setitem(RULES, f"GET {path}", Rule(Role.VIEWER))  # type: ignore[misc]  # our own routes
    go_on, begun = threading.Event(), threading.Event()

    def slowly() -> Iterator[bytes]:
        yield b"first"
        begun.set()
        go_on.wait(20)
        yield b"last"

    def endless() -> Iterator[bytes]:
        for _ in range(10_000):
            yield b"x" * 100_000

    app.add_route("/slowly", lambda _: StreamingResponse(slowly()))
    app.add_route("/endless", lambda _: StreamingResponse(endless()))
    started: list[asyncio.AbstractEventLoop] = []
    up = threading.Event()

    async def announce(_: object = None) -> None:
        started.append(asyncio.get_running_loop())
        up.set()

    server = server_for(app, Settings(notice_seconds=600, drain_seconds=20))
    listener = socket.create_server(("127.0.0.1", 0))

    async def serve() -> None:
        await announce()
        await server.serve(sockets=[listener])

    thread = threading.Thread(target=lambda: asyncio.run(serve()))
    thread.start()
    assert up.wait(20)
    with ExitStack() as opened:
        yield Running(server, listener.getsockname()[1], started[0], go_on, begun, opened, key)
    go_on.set()
    server.should_exit = True
    thread.join(30)
    assert not thread.is_alive()


class TestHugeBody:
    def test_is_refused_before_it_is_sent(self, running: Running) -> None:
        raw = running.connect()
        raw.sendall(b"POST /v1/forecasts HTTP/1.1\r\nHost: a\r\nContent-Length: 100000000\r\n\r\n")
        answer = HTTPResponse(raw)
        answer.begin()
        status = answer.status
        assert status == 413
        assert answer.getheader("connection") == "close"
        assert json.loads(answer.read(int(answer.getheader("content-length") or 0)))["status"] == 413
        raw.close()
        assert running.get("/health/live")[0] == 200

    def test_that_is_sent_all_the_same_sees_the_answer(self, running: Running) -> None:
        connection = running.http()
        connection.request("POST", "/v1/forecasts", body=b"x" * 100_000_000)
        status, _, body = read(connection.getresponse())
        assert (status, json.loads(body)["type"]) == (413, "urn:tonnage:problem:body-too-large")

    def test_does_not_grow_the_process(self, running: Running) -> None:
        before = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        piece = b"x" * 100_000
        connection = running.http()
        # Without a length, to a route that reads no body.
        connection.request("GET", "/health/live", body=(piece for _ in range(1_000)), encode_chunked=True)
        assert connection.getresponse().status == 200
        assert resource.getrusage(resource.RUSAGE_SELF).ru_maxrss - before < 30_000  # KiB


class TestSlowCaller:
    @pytest.mark.parametrize(
        "said",
        [
            b"",
            b"GET /health/live HTTP/1.1\r\nHost: a\r\nX-Slow:",
            b"POST /health/live HTTP/1.1\r\nHost: a\r\nContent-Length: 500000\r\n\r\nxxx",
        ],
        ids=["silent", "head", "body"],
    )
    def test_of_a_request_is_cut_off_and_no_other(self, running: Running, said: bytes) -> None:
        raw = running.connect()
        raw.sendall(said)
        assert running.get("/health/live")[0] == 200
        assert running.look(SECONDS_TO_ASK - 5) == 0
        assert running.look(SECONDS_TO_ASK + 1) == 1
        heard = b""
        try:
            while piece := raw.recv(10_000):
                heard += piece
        except ConnectionResetError:
            pass
        assert b"200 OK" not in heard

    def test_of_an_answer_is_cut_off_and_others_are_answered(self, running: Running) -> None:
        raw = running.connect(receive=4_096)
        raw.sendall(
            f"GET /endless HTTP/1.1\r\nHost: a\r\nAuthorization: Bearer {running.key}\r\n\r\n".encode()
        )
        while not running.waiting():
            assert running.get("/health/live")[0] == 200
        assert running.look(SECONDS_TO_READ - 5) == 0
        assert running.look(SECONDS_TO_READ + 1) == 1
        assert broken_off(raw)

    def test_a_head_without_end_is_431(self, running: Running) -> None:
        raw = running.connect()
        heard = b""
        try:
            raw.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n")
            for _ in range(40):
                raw.sendall(b"X-More: " + b"x" * 4_000 + b"\r\n")
            heard = raw.recv(10_000)
        except OSError:
            return  # cut off while it was still sending
        assert heard.startswith(b"HTTP/1.1 431 ")


class TestDrain:
    def test_readiness_goes_first_and_running_answers_end(self, running: Running) -> None:
        kept = running.http()
        kept.request("GET", "/health/ready")
        assert read(kept.getresponse())[0] == 200
        slow = running.http()
        slow.request("GET", "/slowly", headers={"Authorization": f"Bearer {running.key}"})
        assert running.begun.wait(20)
        running.server.handle_exit(signal.SIGTERM, None)
        status, headers, body = running.get("/health/ready")
        assert (status, json.loads(body)["type"]) == (503, "urn:tonnage:problem:draining")
        assert headers["retry-after"] == "5"
        # Whoever still asks is answered, for the last time on this connection.
        kept.request("GET", "/health/live")
        status, headers, _ = read(kept.getresponse())
        assert (status, headers["connection"]) == (200, "close")
        running.server.handle_exit(signal.SIGTERM, None)  # no more notice
        assert refused(running)
        running.go_on.set()
        assert read(slow.getresponse())[2] == b"firstlast"


@pytest.mark.usefixtures("published")
def test_ten_thousand_connections(engine: Engine, key_of: Callable[..., str]) -> None:
    key = key_of(engine)
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    if hard != resource.RLIM_INFINITY and hard < MANY + OPEN_FILES:
        pytest.skip(f"this machine lets a process open {hard} files only")
    before = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (MANY + OPEN_FILES, hard))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    environment = {**os.environ, "TONNAGE_DATABASE_URL": engine.url.render_as_string(hide_password=False)}
    process = subprocess.Popen(
        [sys.executable, "-m", "tonnage", "serve", "--port", str(port)],
        env=environment, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    crowd: list[socket.socket] = []
    reading: threading.Thread | None = None
    assert process.stderr is not None
    try:
        line = process.stderr.readline()
        while "serving" not in line:
            assert line
            line = process.stderr.readline()
        reading = threading.Thread(target=process.stderr.read)
        reading.start()

        first = get(port, "/v1/forecasts", key)
        assert first[0] == 200
        poll = select.poll()
        while len(crowd) < MANY:
            # No more at a time than the backlog holds: what the kernel drops it tries again after seconds.
            coming = set()
            for _ in range(1_000):
                raw = socket.socket()
                raw.setblocking(False)
                raw.connect_ex(("127.0.0.1", port))
                crowd.append(raw)
                coming.add(raw.fileno())
                poll.register(raw, select.POLLOUT)
            while coming:
                found = poll.poll(20_000)
                assert found
                for file, event in found:
                    assert not event & (select.POLLERR | select.POLLHUP)
                    coming.remove(file)
                    poll.unregister(file)
        again = get(port, "/v1/forecasts", key)
        assert (again[0], again[2]) == (200, first[2])
        assert get(port, "/health/ready", key)[0] == 200
        for raw in crowd[:: MANY // 10]:
            raw.setblocking(True)
            raw.settimeout(60)
            raw.sendall(b"GET /health/live HTTP/1.1\r\nHost: a\r\n\r\n")
            assert raw.recv(10_000).startswith(b"HTTP/1.1 200")
    finally:
        for raw in crowd:
            raw.close()
        process.kill()
        process.wait()
        if reading is not None:
            reading.join()
        process.stderr.close()
        resource.setrlimit(resource.RLIMIT_NOFILE, before)

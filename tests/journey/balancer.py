"""A balancer for tests: passes whole TCP connections to replicas that say that they are ready."""

import asyncio
import threading
from contextlib import closing, suppress
from typing import Self

_SECONDS_BETWEEN_LOOKS = 0.1


class Balancer:
    """Listens on a port of its own, in a thread of its own, in front of replicas on loopback ports.

    It asks each replica for its readiness ten times a second. A new connection goes to the next one that is
    ready, or to any that listens where none is. It neither repeats nor changes anything that is said.
    """

    def __init__(self, *ports: int) -> None:
        self._ready = dict.fromkeys(ports, False)
        self._turn = 0
        self._up = threading.Event()
        self._changed = threading.Condition()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_until_complete, args=(self._serve(),))
        self.port = 0

    def __enter__(self) -> Self:
        self._thread.start()
        assert self._up.wait(20)
        return self

    def __exit__(self, *_: object) -> None:
        self._loop.call_soon_threadsafe(self._end.set)
        self._thread.join(20)
        self._loop.close()

    def wait_until(self, port: int, *, ready: bool) -> None:
        """Wait until a replica is ready, or is not."""
        with self._changed:
            assert self._changed.wait_for(lambda: self._ready[port] is ready, 60), (port, ready)

    async def _serve(self) -> None:
        self._end = asyncio.Event()
        server = await asyncio.start_server(self._pass_on, "127.0.0.1", 0, backlog=1_000)
        self.port = server.sockets[0].getsockname()[1]
        looks = [asyncio.create_task(self._look(port)) for port in self._ready]
        self._up.set()
        await self._end.wait()
        server.close()
        rest = [*looks, *(task for task in asyncio.all_tasks() if task is not asyncio.current_task())]
        for task in rest:
            task.cancel()
        await asyncio.gather(*rest, return_exceptions=True)

    async def _look(self, port: int) -> None:
        while True:
            ready = await _is_ready(port)
            with self._changed:
                self._ready[port] = ready
                self._changed.notify_all()
            await asyncio.sleep(_SECONDS_BETWEEN_LOOKS)

    async def _pass_on(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with closing(writer), suppress(OSError, asyncio.CancelledError):
            from_there, to_there = await self._replica()
            with closing(to_there):
                await asyncio.gather(_copy(reader, to_there), _copy(from_there, writer))

    async def _replica(self) -> tuple[asyncio.StreamReader, asyncio.StreamWriter]:
        self._turn += 1
        ports = list(self._ready)
        ports = ports[self._turn % len(ports) :] + ports[: self._turn % len(ports)]
        for port in sorted(ports, key=lambda port: not self._ready[port]):
            with suppress(OSError):
                return await asyncio.open_connection("127.0.0.1", port)
        raise ConnectionError("no replica listens")


async def _copy(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """Pass on what is said until it ends, and its end."""
    with suppress(OSError):
        while piece := await reader.read(65_536):
            writer.write(piece)
            await writer.drain()
    writer.close()


async def _is_ready(port: int) -> bool:
    try:
        async with asyncio.timeout(2):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            with closing(writer):
                writer.write(b"GET /health/ready HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n")
                said = await reader.read(20)
    except (OSError, TimeoutError):
        return False
    return said.startswith(b"HTTP/1.1 200")

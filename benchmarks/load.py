"""A load generator: so many connections, each asking its next question when it has the answer to the last.

    TONNAGE_KEY=… python benchmarks/load.py PORT CONNECTIONS SECONDS < questions

A question is a line: a path, or a path, a tab and an If-None-Match. Each connection takes the next line, and
begins anew when there are none. Prints as JSON: answers, seconds, their statuses, milliseconds at the middle
and at the 99th percentile, and bytes of the last body. One process, one thread, no HTTP library: what it
costs itself is some 40 µs an answer, on the same two cores as the server and PostgreSQL.
"""

import asyncio
import json
import os
import re
import sys
from collections import Counter
from itertools import cycle
from time import perf_counter

import uvloop

LENGTH = re.compile(rb"\r\ncontent-length: (\d+)\r\n")


class Asker(asyncio.Protocol):
    """One connection."""

    def __init__(self, load: "Load") -> None:
        self.load = load
        self.heard = bytearray()
        self.whole = 0
        self.asked = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        self.transport = transport
        self.ask()

    def ask(self) -> None:
        self.heard.clear()
        self.whole = 0
        self.asked = perf_counter()
        self.transport.write(next(self.load.questions))

    def data_received(self, data: bytes) -> None:
        self.heard += data
        if not self.whole and (end := self.heard.find(b"\r\n\r\n")) >= 0:
            length = LENGTH.search(self.heard, 0, end + 2)
            self.whole = end + 4 + (int(length[1]) if length else 0)
        if self.whole and len(self.heard) >= self.whole:
            now = perf_counter()
            self.load.took.append(now - self.asked)
            self.load.statuses[self.heard[9:12].decode()] += 1
            self.load.bytes = len(self.heard) - self.heard.find(b"\r\n\r\n") - 4
            if now < self.load.until:
                self.ask()
            else:
                self.transport.close()

    def connection_lost(self, exc: Exception | None) -> None:
        self.load.left -= 1
        if not self.load.left:
            self.load.over.set_result(None)


class Load:
    """What all connections share."""

    def __init__(self, lines: list[str], connections: int, seconds: float) -> None:
        self.questions = cycle([question(line) for line in lines])
        self.took: list[float] = []
        self.statuses: Counter[str] = Counter()
        self.bytes = 0
        self.left = connections
        self.until = perf_counter() + seconds
        self.over = asyncio.get_running_loop().create_future()


def question(line: str) -> bytes:
    path, _, tag = line.rstrip("\n").partition("\t")
    known = f"If-None-Match: {tag}\r\n" if tag else ""
    own = f"Authorization: Bearer {os.environ['TONNAGE_KEY']}\r\n"
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nAccept: application/json\r\n{own}{known}\r\n".encode()


async def main(port: int, connections: int, seconds: float) -> None:
    load = Load(sys.stdin.readlines(), connections, seconds)
    began = perf_counter()
    loop = asyncio.get_running_loop()
    await asyncio.gather(
        *(loop.create_connection(lambda: Asker(load), "127.0.0.1", port) for _ in range(connections))
    )
    await asyncio.wait_for(load.over, seconds + 10)
    spent = perf_counter() - began
    load.took.sort()
    said = {
        "answers": len(load.took),
        "seconds": spent,
        "statuses": load.statuses,
        "p50": 1000 * load.took[len(load.took) // 2],
        "p99": 1000 * load.took[len(load.took) * 99 // 100],
        "bytes": load.bytes,
    }
    print(json.dumps(said))


if __name__ == "__main__":
    uvloop.run(main(int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3])))

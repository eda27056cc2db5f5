"""Connections that one event loop shares: each answers one prepared statement at a time, and needs no thread.

A statement by itself sees one state of the database, so there is no transaction around it. The driver and
the URL are those of the engine.
"""

import asyncio
import selectors
from collections import deque
from dataclasses import dataclass
from functools import cached_property

import psycopg2
from psycopg2.errors import QueryCanceled
from psycopg2.extensions import POLL_OK, POLL_READ, POLL_WRITE
from psycopg2.extensions import connection as Driver  # noqa: N812  # a class
from sqlalchemy import Engine

from app.errors import DatabaseUnavailable, TookTooLong

type Row = tuple[object, ...]

_SECONDS_TO_CONNECT = 5.0
_SECONDS_OF_A_STATEMENT = 5.0


class Unanswerable(Exception):
    """PostgreSQL does not take the statement: the tables are not those of this version, say."""


@dataclass(frozen=True)
class Statement:
    """A statement as PostgreSQL prepares it: `$1` and so on in `text` stand for values of `types`."""

    name: str
    types: tuple[str, ...]
    text: str

    @cached_property
    def prepare(self) -> str:
        types = f"({', '.join(self.types)})" if self.types else ""
        return f"prepare {self.name} {types} as {self.text}"

    @cached_property
    def execute(self) -> str:
        values = ", ".join(["%s"] * len(self.types))
        return f"execute {self.name} ({values})" if values else f"execute {self.name}"


class _Lost(Exception):
    """The connection is gone."""


class Lines:
    """Up to `most` connections, opened when they are needed and again when they were lost."""

    def __init__(self, engine: Engine, most: int) -> None:
        self._engine = engine
        self._most = most
        self._loop: asyncio.AbstractEventLoop | None = None
        self._forget()

    def _forget(self) -> None:
        self._open = 0
        self._idle: list[_Line] = []
        self._waiting: deque[asyncio.Future[_Line | None]] = deque()

    async def ask(self, statement: Statement, values: Row = ()) -> list[Row]:
        """The rows of a statement; raises `DatabaseUnavailable`, `TookTooLong` or `Unanswerable`.

        A connection that was cut while it was idle is found out by the next question, which then is asked
        once more on a new one.
        """
        if self._loop is not asyncio.get_running_loop():
            self._forget()  # connections belong to the loop that is over
            self._loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(_SECONDS_OF_A_STATEMENT + _SECONDS_TO_CONNECT):
                try:
                    return await self._ask(statement, values)
                except _Lost:
                    return await self._ask(statement, values)
        except (TimeoutError, _Lost) as error:
            raise DatabaseUnavailable from error

    def close(self) -> None:
        """Close what is idle; what is busy closes with its answer."""
        idle, self._idle, self._most = self._idle, [], 0
        for line in idle:
            line.close()

    async def _ask(self, statement: Statement, values: Row) -> list[Row]:
        line = await self._line()
        whole = False
        try:
            rows = await line.ask(statement, values)
            whole = True
        finally:
            self._give_back(line, keep=whole and self._open <= self._most)
        return rows

    async def _line(self) -> "_Line":
        while self._idle:
            line = self._idle.pop()
            if not line.lost:
                return line
            self._open -= 1
        if self._open >= self._most:
            waiting: asyncio.Future[_Line | None] = asyncio.get_running_loop().create_future()
            self._waiting.append(waiting)
            try:
                line_or_room = await waiting
            except asyncio.CancelledError:
                handed = waiting.result() if waiting.done() and not waiting.cancelled() else None
                if handed is not None:
                    self._give_back(handed, keep=True)
                raise
            if line_or_room is not None:
                return line_or_room
        self._open += 1
        try:
            driver = await asyncio.to_thread(_connect, self._engine)
        except BaseException as error:
            self._open -= 1
            self._wake(None)
            if isinstance(error, psycopg2.Error | TimeoutError):
                raise DatabaseUnavailable from error
            raise
        return _Line(driver)

    def _give_back(self, line: "_Line", *, keep: bool) -> None:
        if not keep:
            line.close()
            self._open -= 1
        if not self._wake(line if keep else None) and keep:
            self._idle.append(line)

    def _wake(self, line: "_Line | None") -> bool:
        """Hand a line, or the room for one, to whoever has waited longest; False where nobody waits."""
        while self._waiting:
            waiting = self._waiting.popleft()
            if not waiting.done():
                waiting.set_result(line)
                return True
        return False


class _Line:
    """One connection, and what it is asked at the moment."""

    def __init__(self, driver: Driver) -> None:
        self._driver = driver
        self._cursor = driver.cursor()
        self._prepared: set[str] = set()
        self._loop = asyncio.get_running_loop()
        self._answer: asyncio.Future[list[Row]] | None = None
        self.lost = False
        self._file = driver.fileno()
        self._loop.add_reader(self._file, self._readable)

    async def ask(self, statement: Statement, values: Row) -> list[Row]:
        self._answer = answer = self._loop.create_future()
        text = statement.execute
        if statement.name not in self._prepared:
            text = f"{statement.prepare}; {text}"
        try:
            # So short a text always fits into the socket of a connection with nothing under way.
            self._cursor.execute(text, values)
        except psycopg2.Error as error:
            self._fail(error)
        rows: list[Row] = await answer
        self._prepared.add(statement.name)
        return rows

    def close(self) -> None:
        if not self.lost:
            self.lost = True
            self._loop.remove_reader(self._file)
            self._driver.close()

    def _readable(self) -> None:
        try:
            over = self._driver.poll() == POLL_OK
            answer = self._answer
            if over and answer is not None:
                self._answer = None
                rows = self._cursor.fetchall()
                if not answer.done():
                    answer.set_result(rows)
        except psycopg2.Error as error:
            self._fail(error)

    def _fail(self, error: psycopg2.Error) -> None:
        answer, self._answer = self._answer, None
        gone = bool(self._driver.closed) or isinstance(
            error, psycopg2.OperationalError | psycopg2.InterfaceError
        )
        self.close()
        if answer is None or answer.done():
            return
        meaning: Exception = _Lost() if gone else Unanswerable()
        if isinstance(error, QueryCanceled):
            meaning = TookTooLong()
        meaning.__cause__ = error
        answer.set_exception(meaning)


def _connect(engine: Engine) -> Driver:
    """A connection that does not block, and lets PostgreSQL end what takes too long."""
    arguments, named = engine.dialect.create_connect_args(engine.url)
    driver: Driver = psycopg2.connect(*arguments, **{**named, "application_name": "tonnage", "async_": True})
    try:
        _finish(driver)
        milliseconds = round(1000 * _SECONDS_OF_A_STATEMENT)
        cursor = driver.cursor()  # the driver holds it weakly, and an answer needs one
        cursor.execute(f"set statement_timeout = {milliseconds}; set default_transaction_read_only = on")
        _finish(driver)
    except BaseException:
        driver.close()
        raise
    return driver


def _finish(driver: Driver) -> None:
    """Wait, in a thread, until the connection is through with what it does."""
    with selectors.DefaultSelector() as selector:
        while (state := driver.poll()) != POLL_OK:
            wanted = {POLL_READ: selectors.EVENT_READ, POLL_WRITE: selectors.EVENT_WRITE}[state]
            selector.register(driver.fileno(), wanted)
            ready = selector.select(_SECONDS_TO_CONNECT)
            selector.unregister(driver.fileno())
            if not ready:
                raise TimeoutError

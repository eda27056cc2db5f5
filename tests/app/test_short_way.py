"""One node the short way: the same answer as the long way, from the run that is shown at that moment."""

import asyncio
from collections.abc import Callable, Coroutine
from urllib.parse import urlencode

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient
from sqlalchemy import Engine, text
from starlette.types import Message, Receive, Scope, Send

from app.access.caller import Caller, Role
from app.errors import DatabaseUnavailable
from app.quick.answers import Answer, Answers
from app.quick.pointer import Pointer
from app.quick.short_way import ShortWay
from app.store import one_node
from app.store.engine import open_engine
from app.store.lines import Lines, Statement, Unanswerable
from app.store.publish import publish, roll_back
from forecasting.run import ForecastRun
from tests.app.conftest import LEAVES, PUBLISHED, MakeRun

ONE = [
    {},
    {"level": "total"},
    {"level": "organization", "organization": "SÜD"},
    {"level": "customer", "customer": "K-104"},
    {"level": "material,organization", "organization": "NORD", "material": "HEB 200"},
    {"level": "organization,material", "organization": "NORD", "material": "=SUM(A1)"},
    *(
        {"level": "organization,customer,material"}
        | dict(zip(("organization", "customer", "material"), leaf, strict=True))
        for leaf in LEAVES
        if "," not in leaf[1]  # it might join several
    ),
    {"level": "customer", "customer": "K-7", "quantiles": "0.975,0.1"},
    {"level": "customer", "customer": "K-7", "from": "2026-12"},
    {"level": "customer", "customer": "K-7", "to": "2026-11", "from": "2020-01"},
]
NOT_ONE = [
    {"level": "customer"},
    {"level": "organization,customer,material", "customer": "K-104"},
    {"level": "customer", "customer": "K-104", "limit": "5"},
    {"level": "customer", "customer": "K-104", "format": "csv"},
    {"level": "customer", "customer": "nobody"},
    {"level": "customer", "customer": ""},
    {"level": "nothing"},
    {"level": "customer", "customer": "K-104", "quantiles": "0.3"},
    {"level": "customer", "customer": "K-104", "quantiles": "0.5,0.5"},
    {"level": "customer", "customer": "K-104", "from": "2026"},
    {"level": "customer", "customer": "K-104", "from": "2030-01"},
]


async def long_way(scope: Scope, receive: Receive, send: Send) -> None:
    await send({"type": "http.response.start", "status": 299, "headers": []})
    await send({"type": "http.response.body", "body": b""})


async def ask(app: ShortWay, query: bytes, **state: object) -> tuple[int, bytes]:
    said: list[Message] = []

    async def send(message: Message) -> None:
        said.append(message)

    async def receive() -> Message:
        return {"type": "http.request", "body": b"", "more_body": False}

    scope: Scope = {
        "type": "http", "method": "GET", "path": "/v1/forecasts", "query_string": query, "headers": [],
        "state": {"caller": Caller("all", Role.VIEWER, None)} | state,
    }  # fmt: skip
    await app(scope, receive, send)
    return said[0]["status"], said[1]["body"]


def run[T](engine: Engine, work: Callable[[Lines], Coroutine[object, object, T]], most: int = 2) -> T:
    async def inside() -> T:
        lines = Lines(engine, most)
        try:
            return await work(lines)
        finally:
            lines.close()

    return elsewhere(inside)


def elsewhere[T](work: Callable[[], Coroutine[object, object, T]]) -> T:
    """What a loop of another thread makes of it: on this one, a browser’s own passes for running."""
    with start_blocking_portal() as portal:
        return portal.call(work)


@pytest.mark.usefixtures("published")
class TestSame:
    @pytest.mark.parametrize("asked", ONE, ids=urlencode)
    def test_answer_and_headers_as_the_long_way(
        self, client: TestClient, engine: Engine, asked: dict[str, str]
    ) -> None:
        query = urlencode(asked).encode()
        status, body = run(engine, lambda lines: ask(ShortWay(long_way, lines, 0), query))
        assert status == 200
        short = client.get("/v1/forecasts", params=asked)
        # A header that only the long way reads, with the same meaning.
        long = client.get("/v1/forecasts", params=asked, headers={"Accept": "application/json;q=0.9"})
        assert body == short.content == long.content
        for name in ("etag", "cache-control", "vary", "content-type", "content-length"):
            assert short.headers[name] == long.headers[name], name

    @pytest.mark.parametrize("asked", NOT_ONE, ids=urlencode)
    def test_all_else_goes_the_long_way(self, engine: Engine, asked: dict[str, str]) -> None:
        query = urlencode(asked).encode()
        assert run(engine, lambda lines: ask(ShortWay(long_way, lines, 0), query))[0] == 299

    def test_who_sees_some_organizations_goes_the_long_way(self, engine: Engine) -> None:
        nord = Caller("nord", Role.VIEWER, frozenset({"NORD"}))
        for caller in (nord, None):
            assert (
                run(engine, lambda lines, who=caller: ask(ShortWay(long_way, lines, 0), b"", caller=who))[0]
                == 299
            )  # type: ignore[misc]

    def test_known_answers_are_not_sent_again(self, client: TestClient) -> None:
        tag = client.get("/v1/forecasts").headers["etag"]
        answer = client.get("/v1/forecasts", headers={"If-None-Match": f'"other", W/{tag}'})
        assert (answer.status_code, answer.content, answer.headers["etag"]) == (304, b"", tag)
        assert "content-length" not in answer.headers


class TestPointer:
    def test_what_is_published_is_seen_by_the_next_question(
        self, client: TestClient, engine: Engine, make_run: MakeRun
    ) -> None:
        one, two = make_run("2026-10-aaaa"), make_run("2026-10-bbbb", scale=2)
        for change in (
            lambda: publish(engine, one, PUBLISHED),
            lambda: publish(engine, two, PUBLISHED),
            lambda: roll_back(engine, one.id, PUBLISHED),
            lambda: roll_back(engine, two.id, PUBLISHED),
        ):
            change()
            shown = client.get("/v1/runs/current").json()["id"]
            mean = {one.id: 1111.0, two.id: 2222.0}[shown]
            for _ in range(2):
                answer = client.get("/v1/forecasts").json()
                assert (answer["run"]["id"], answer["forecasts"][0]["months"][0]["mean"]) == (shown, mean)

    def test_who_comes_during_a_reading_waits_for_the_next(
        self, engine: Engine, published: ForecastRun
    ) -> None:
        read = 0

        class Counted(Lines):
            async def ask(
                self, statement: Statement, values: tuple[object, ...] = ()
            ) -> list[tuple[object, ...]]:
                nonlocal read
                read += statement.name == "pointer"
                return await super().ask(statement, values)

        async def work() -> None:
            lines = Counted(engine, 2)
            pointer = Pointer(lines)
            await pointer.current()
            assert read == 1
            first = asyncio.gather(*(pointer.current() for _ in range(100)))
            while read < 2:
                await asyncio.sleep(0)
            late = asyncio.gather(*(pointer.current() for _ in range(100)))
            runs = await first + await late
            assert {each.id for each in runs if each is not None} == {published.id}
            assert read == 3
            lines.close()

        elsewhere(work)


class TestLines:
    def test_more_askers_than_lines(self, engine: Engine, published: ForecastRun) -> None:
        async def work(lines: Lines) -> list[str | None]:
            return await asyncio.gather(*(one_node.current_id(lines) for _ in range(50)))

        assert run(engine, work) == [published.id] * 50

    @pytest.mark.usefixtures("published")
    def test_lines_that_were_cut_are_opened_again(self, engine: Engine) -> None:
        cut = text(
            "select count(pg_terminate_backend(pid)) from pg_stat_activity "
            "where pid <> pg_backend_pid() and datname = current_database()"
        )

        async def work(lines: Lines) -> None:
            for _ in range(3):
                await asyncio.gather(*(one_node.current_id(lines) for _ in range(10)))
                with engine.begin() as connection:
                    assert connection.scalar(cut)

        run(engine, work)

    def test_what_postgres_does_not_take(self, engine: Engine) -> None:
        async def work(lines: Lines) -> None:
            for _ in range(3):
                with pytest.raises(Unanswerable):
                    await lines.ask(Statement("odd", (), "select * from nothing"))
            assert await one_node.current_id(lines) is None

        run(engine, work, most=1)

    def test_a_database_that_is_not_there(self) -> None:
        async def work(lines: Lines) -> None:
            asked = [one_node.current_id(lines) for _ in range(5)]
            for found in await asyncio.gather(*asked, return_exceptions=True):
                assert isinstance(found, DatabaseUnavailable)

        run(open_engine("postgresql://nobody@127.0.0.1:1/nowhere"), work)


def test_answers_fit_into_their_memory() -> None:
    answers = Answers(10_000)
    for n in range(100):
        answers.keep("run", str(n).encode(), Answer(b"", [], b"x" * 1_000))
        answers.find("run", b"0")
    kept = [n for n in range(100) if answers.find("run", str(n).encode())]
    assert kept == [0, 95, 96, 97, 98, 99]
    answers.keep("run", b"huge", Answer(b"", [], b"x" * 20_000))
    assert answers.find("run", b"huge") is None

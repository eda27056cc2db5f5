"""The audit trail: nobody changes it, and whoever does is found."""

import datetime as dt
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import Connection, Engine, text
from sqlalchemy.exc import DBAPIError

from app.store.audit import BEGINNING, Anchor, Entry, read_links, record, verify
from app.store.session import connected

ASKED = Entry(
    caller="planner",
    key="k1",
    address="10.0.0.7",
    action="POST /v1/jobs",
    subject="/v1/jobs",
    outcome="202",
    details={"month": "2026-10", "full": True, "times": 2, "accept": None},
)


@contextmanager
def unguarded(engine: Engine) -> Iterator[Connection]:
    """What somebody may do who owns the database."""
    with engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        yield connection


def write(engine: Engine, count: int = 5) -> None:
    for number in range(1, count + 1):
        with connected(engine) as connection:
            record(connection, Entry("planner", "POST /v1/jobs", "202", f"job {number}"))


def test_an_entry_is_kept_as_it_is(engine: Engine) -> None:
    with connected(engine) as connection:
        record(connection, ASKED)
        (link,) = read_links(connection, 9)
        moment = connection.scalar(text("select clock_timestamp()"))
    assert (link.number, link.entry, link.previous) == (1, ASKED, BEGINNING)
    assert moment is not None and abs(link.at - moment) < dt.timedelta(minutes=1)


def test_the_hash_is_one_that_anybody_can_compute(engine: Engine) -> None:
    with connected(engine) as connection:
        record(connection, Entry("Jürgen", "tonnage rollback", "done", details={"b": 1, "a": "ß"}))
        (link,) = read_links(connection, 9)
    at = link.at.astimezone(dt.UTC).strftime("%Y-%m-%dT%H:%M:%S.%f+00:00")
    written = (
        '{"action":"tonnage rollback","address":null,"at":"' + at + '","caller":"Jürgen",'
        '"details":{"a":"ß","b":1},"key":null,"number":1,"outcome":"done",'
        '"previous":"' + "0" * 64 + '","subject":null}'
    )
    assert link.hash == sha256(written.encode()).hexdigest()


def test_what_is_undone_leaves_no_entry(engine: Engine) -> None:
    with engine.connect() as connection:
        record(connection, ASKED)
        connection.rollback()
    write(engine, 1)
    with connected(engine) as connection:
        assert [link.number for link in read_links(connection, 9)] == [1]


def test_many_at_once_make_one_chain(engine: Engine) -> None:
    def some(writer: int) -> None:
        for each in range(5):
            with connected(engine) as connection:
                record(connection, *[Entry(f"{writer}", "GET /", "200", f"{each}")] * 3)

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(some, range(4)))
    with connected(engine) as connection:
        checked = verify(connection)
        assert (checked.entries, checked.broken) == (60, None)
        assert len(read_links(connection, 99, caller="2")) == 15


@pytest.mark.parametrize(
    "statement",
    [
        "update audit set outcome = '200'",
        "update audit set outcome = '200' where number = 99",
        "delete from audit",
        "truncate audit",
        "merge into audit using (select 1) s on true when matched then delete",
    ],
)
def test_postgresql_refuses_every_change(engine: Engine, statement: str) -> None:
    write(engine, 2)
    with pytest.raises(DBAPIError, match="append-only"), engine.begin() as connection:
        connection.execute(text(statement))
    with connected(engine) as connection:
        assert verify(connection).entries == 2


CHANGES = [
    "at = at + interval '1 microsecond'",
    "caller = caller || ' '",
    "key = ''",
    "address = '10.0.0.8'",
    "action = 'GET /v1/jobs'",
    "subject = null",
    "outcome = '403'",
    "details = details || '{\"full\": false}'",
    "details = '[]'",
    "previous = repeat('f', 64)",
    "hash = repeat('f', 64)",
    "number = number + 100",
]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(number=st.integers(1, 6), change=st.sampled_from(CHANGES))
def test_whatever_is_changed_is_found(engine: Engine, number: int, change: str) -> None:
    with unguarded(engine) as connection:
        connection.execute(text("delete from audit"))
    write(engine, 6)
    with unguarded(engine) as connection:
        connection.execute(text(f"update audit set {change} where number = {number}"))
    with connected(engine) as connection:
        checked = verify(connection)
    assert checked.broken is not None
    assert (checked.entries, checked.broken.number) == (number - 1, number)
    assert ("not there" in checked.broken.why) == change.startswith("number")


@pytest.mark.parametrize("number", [1, 3])
def test_what_is_taken_out_is_found(engine: Engine, number: int) -> None:
    write(engine)
    with unguarded(engine) as connection:
        connection.execute(text(f"delete from audit where number = {number}"))
    with connected(engine) as connection:
        broken = verify(connection).broken
    assert broken is not None and broken.number == number and "not there" in broken.why


def test_two_that_change_places_are_found(engine: Engine) -> None:
    write(engine)
    with unguarded(engine) as connection:
        connection.execute(text("update audit set number = -number where number in (2, 3)"))
        connection.execute(text("update audit set number = 5 + number where number < 0"))
    with connected(engine) as connection:
        broken = verify(connection).broken
    assert broken is not None and broken.number == 2 and "does not follow" in broken.why


class TestAnchor:
    @pytest.fixture
    def anchor(self, engine: Engine) -> Anchor:
        write(engine)
        with connected(engine) as connection:
            last = verify(connection).last
        assert last is not None
        return last

    def test_holds_as_the_chain_grows(self, engine: Engine, anchor: Anchor) -> None:
        write(engine, 2)
        with connected(engine) as connection:
            checked = verify(connection, anchor)
        assert (checked.entries, checked.broken) == (7, None)

    def test_finds_a_cut_off_end(self, engine: Engine, anchor: Anchor) -> None:
        with unguarded(engine) as connection:
            connection.execute(text("delete from audit where number > 3"))
        with connected(engine) as connection:
            assert verify(connection).broken is None
            broken = verify(connection, anchor).broken
        assert broken is not None and broken.number == 4 and "entry 5" in broken.why

    def test_finds_a_chain_that_was_made_anew(self, engine: Engine, anchor: Anchor) -> None:
        with unguarded(engine) as connection:
            connection.execute(text("delete from audit"))
        write(engine, 6)
        with connected(engine) as connection:
            assert verify(connection).broken is None
            broken = verify(connection, anchor).broken
        assert broken is not None and broken.number == 5


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=50)
@given(
    texts=st.lists(st.text(max_size=1500), min_size=4, max_size=4),
    details=st.dictionaries(
        st.text(max_size=9), st.none() | st.booleans() | st.integers() | st.text(), max_size=4
    ),
)
def test_whatever_is_written_can_be_verified(
    engine: Engine, texts: list[str], details: dict[str, str | int | bool | None]
) -> None:
    caller, action, outcome, subject = texts
    with connected(engine) as connection:
        record(connection, Entry(caller, action, outcome, subject, details=details))
        assert verify(connection).broken is None
        (link,) = read_links(connection, 1)
    assert len(link.entry.caller) <= 1000


def test_a_page_of_entries(engine: Engine) -> None:
    write(engine)
    with connected(engine) as connection:
        assert [link.number for link in read_links(connection, 2)] == [5, 4]
        assert [link.number for link in read_links(connection, 2, before=4)] == [3, 2]

"""The record of runs: what is kept, who is shown when, and that a refused run is nobody's to see."""

import datetime as dt
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import numpy as np
import pytest
from alembic import command
from alembic.config import Config
from fastapi.testclient import TestClient
from sqlalchemy import Engine, event, func, select, text

from app.absences import NeverShown, NothingPublished, UnknownRun
from app.errors import Unpublishable
from app.refusals import AmbiguousRun
from app.store import tables
from app.store.engine import open_engine
from app.store.folds import keep_fold, read_fold
from app.store.lineage import Lineage, snapshots_of_runs
from app.store.migrate import migrate
from app.store.publish import publish, record, roll_back
from app.store.read import reading
from app.store.run_records import Showing, run_record, runs
from app.store.selection import select_from
from forecasting.checksum import forecast_checksum
from forecasting.hierarchy import Hierarchy
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun

type MakeRun = Callable[..., ForecastRun]

PUBLISHED = dt.datetime(2026, 11, 2, 6, 0, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 11, 23, 12, 0, tzinfo=dt.UTC)
LATEST = dt.datetime(2026, 12, 2, 6, 0, tzinfo=dt.UTC)


def made(run: ForecastRun, **changes: object) -> Lineage:
    """A lineage of three months of history: leaf i bought 10^i, half of it, and nothing."""
    hierarchy = run.forecast.hierarchy
    quantity = np.outer(10.0 ** np.arange(hierarchy.n_leaves), [1.0, 0.5, 0.0])
    born = np.zeros(hierarchy.n_leaves, dtype=np.int64)
    facts: dict[str, object] = {
        "recipe": {"name": "ensemble", "members": ["theta"], "slow_seconds": 20.5},
        "plan": {"horizon": 2},
        "code_version": "0.2.0",
        "code_commit": "abc",
        "code_lock": "",
        "verdict": {"because": "ensemble stays: it has no challenger", "gain": 0.1},
        "history": DemandPanel(hierarchy, run.origin - 2, quantity, born),
    }
    return Lineage(**(facts | changes))  # type: ignore[arg-type]  # facts are of many types


def refusal(run: ForecastRun, accepted: str | None = None) -> Lineage:
    return made(run, refused=("the total jumps", "a gap"), accepted=accepted)


def current(engine: Engine) -> str:
    with reading(engine) as reader:
        return reader.current_run().id


def count(engine: Engine, table: str) -> int:
    with engine.connect() as connection:
        return connection.scalars(select(func.count()).select_from(tables.metadata.tables[table])).one()


class TestRecord:
    def test_everything_is_kept(self, engine: Engine, make_run: MakeRun) -> None:
        run = make_run()
        assert publish(engine, run, PUBLISHED, made(run))
        kept = run_record(engine, run.id)
        assert (kept.id, kept.origin, kept.recorded_at, kept.published_at) == (
            run.id, Month(2026, 10), PUBLISHED, PUBLISHED,
        )  # fmt: skip
        assert kept.recipe == {"name": "ensemble", "members": ["theta"], "slow_seconds": 20.5}
        assert kept.verdict == {"because": "ensemble stays: it has no challenger", "gain": 0.1}
        assert (kept.plan, kept.code_version, kept.code_commit, kept.code_lock) == (
            {"horizon": 2}, "0.2.0", "abc", "",
        )  # fmt: skip
        assert (kept.panel_first, kept.checksum) == (Month(2026, 8), forecast_checksum(run.forecast))
        assert (kept.refused, kept.accepted, kept.current) == ((), None, True)
        assert kept.shown == (Showing(PUBLISHED, "published", "the first run"),)

    def test_history_of_every_node_in_the_order_of_its_forecast(
        self, engine: Engine, make_run: MakeRun
    ) -> None:
        run = make_run()
        publish(engine, run, PUBLISHED, made(run))
        with engine.connect() as connection:
            rows = connection.execute(
                text(
                    "select level, organization, quantity, array_agg(mean order by month) "
                    "from history join node on node.id = node_id join forecast using (run_id, node_id) "
                    "group by node.id, quantity order by node.id"
                )
            ).all()
        assert [row[0] for row in rows] == run.forecast.hierarchy.nodes["level"].replace(
            {"material,organization": "organization,material"}
        ).to_list()
        # Both the history and the forecast begin with 10^i, so that they must agree node by node.
        assert [row[2] for row in rows] == [[row[3][0], row[3][0] / 2, 0.0] for row in rows]
        assert rows[1][1:3] == ("NORD", [11.0, 5.5, 0.0])

    def test_history_may_have_nodes_that_the_forecast_lacks(self, engine: Engine, make_run: MakeRun) -> None:
        run, whole = make_run(), make_run()
        leaves = np.array([True, True, False, False])
        forecast = run.forecast
        hierarchy = forecast.hierarchy.keep(leaves)
        some = replace(
            run,
            forecast=replace(
                forecast,
                hierarchy=hierarchy,
                mean=np.ones((hierarchy.n_nodes, 2)),
                quantiles=np.ones((3, hierarchy.n_nodes, 2)),
            ),
        )
        record(engine, some, PUBLISHED, replace(refusal(some), history=made(whole).history))
        assert count(engine, "history") == 14
        assert count(engine, "forecast") == hierarchy.n_nodes * 2

    def test_names_of_the_history_are_checked_too(self, engine: Engine, make_run: MakeRun) -> None:
        run = make_run()
        leaves = run.forecast.hierarchy.leaves.with_columns(
            material=run.forecast.hierarchy.leaves["material"] + "\0"
        )
        hierarchy = Hierarchy.of(run.forecast.hierarchy.keys, run.forecast.hierarchy.levels, leaves)
        with pytest.raises(Unpublishable, match="NUL"):
            record(engine, run, PUBLISHED, made(run, history=replace(made(run).history, hierarchy=hierarchy)))

    def test_a_refused_run_is_recorded_and_not_served(
        self, engine: Engine, client: TestClient, make_run: MakeRun
    ) -> None:
        refused = make_run("2026-11-bbbb")
        assert record(engine, refused, LATER, refusal(refused))
        with pytest.raises(NothingPublished):
            current(engine)
        run = make_run()
        publish(engine, run, PUBLISHED, made(run))
        assert current(engine) == run.id
        with reading(engine) as reader, pytest.raises(UnknownRun):
            reader.run(refused.id)
        assert client.get("/v1/runs/current").json()["id"] == run.id
        kept = run_record(engine, refused.id)
        assert (kept.published_at, kept.recorded_at, kept.shown, kept.current) == (None, LATER, (), False)
        assert kept.refused == ("the total jumps", "a gap")
        assert snapshots_of_runs(engine) == {"3f9c1a2b"}

    def test_refused_again_only_brings_the_reasons_up_to_date(
        self, engine: Engine, make_run: MakeRun
    ) -> None:
        run = make_run()
        record(engine, run, PUBLISHED, refusal(run))
        assert not record(engine, run, LATER, made(run, refused=("another",)))
        kept = run_record(engine, run.id)
        assert (kept.refused, kept.recorded_at) == (("another",), PUBLISHED)
        assert (count(engine, "run"), count(engine, "history"), count(engine, "forecast")) == (1, 14, 28)

    def test_accepted_it_is_shown_and_keeps_the_reason(
        self, engine: Engine, client: TestClient, make_run: MakeRun
    ) -> None:
        run = make_run()
        record(engine, run, PUBLISHED, refusal(run))
        accepted = replace(run, because="the first run; shown although it jumps: a new plant")
        assert publish(engine, accepted, LATER, refusal(run, "a new plant"))
        kept = run_record(engine, run.id)
        assert (kept.recorded_at, kept.published_at) == (PUBLISHED, LATER)
        assert (kept.refused, kept.accepted) == (("the total jumps", "a gap"), "a new plant")
        assert kept.shown == (Showing(LATER, "accepted", "a new plant"),)
        assert client.get("/v1/runs/current").json()["because"] == accepted.because
        assert client.get("/v1/runs/current").json()["published_at"] == "2026-11-23T12:00:00Z"
        assert not publish(engine, accepted, LATEST, refusal(run, "a new plant"))
        assert not record(engine, run, LATEST, made(run, refused=()))
        assert run_record(engine, run.id) == kept

    def test_all_or_nothing(self, engine: Engine, make_run: MakeRun) -> None:
        run = make_run()
        publish(engine, run, PUBLISHED, made(run))
        other = make_run("2026-11-bbbb")

        def die(_: object, __: object, statement: str, *___: object) -> None:
            if statement.lower().startswith("insert into shown"):
                raise ConnectionResetError

        event.listen(engine, "before_cursor_execute", die)
        with pytest.raises(ConnectionResetError):
            publish(engine, other, LATER, made(other))
        event.remove(engine, "before_cursor_execute", die)
        assert [count(engine, name) for name in ("run", "history", "forecast", "shown")] == [1, 14, 28, 1]
        assert current(engine) == run.id


class TestRollBack:
    @pytest.fixture
    def two(self, engine: Engine, make_run: MakeRun) -> tuple[ForecastRun, ForecastRun]:
        """Two months published, the second with other numbers."""
        one, two = make_run(), make_run("2026-11-bbbb", scale=3.0)
        two = replace(two, forecast=replace(two.forecast, first=Month(2026, 12)))
        publish(engine, one, PUBLISHED, made(one))
        publish(engine, two, LATER, made(two))
        return one, two

    def test_back_and_forth(self, engine: Engine, two: tuple[ForecastRun, ForecastRun]) -> None:
        assert roll_back(engine, two[0].id, LATEST) == two[1].id
        assert current(engine) == two[0].id
        assert roll_back(engine, two[0].id, LATEST) == two[0].id  # nothing changes
        assert roll_back(engine, two[1].id, LATEST) == two[0].id
        assert current(engine) == two[1].id
        assert run_record(engine, two[0].id).shown == (
            Showing(PUBLISHED, "published", "the first run"),
            Showing(LATEST, "rolled back", "in place of 2026-11-bbbb"),
        )
        assert count(engine, "shown") == 4
        assert run_record(engine, two[0].id).published_at == PUBLISHED

    def test_only_to_what_was_shown(self, engine: Engine, make_run: MakeRun) -> None:
        run = make_run()
        record(engine, run, PUBLISHED, refusal(run))
        with pytest.raises(NeverShown, match="--accept"):
            roll_back(engine, run.id, LATER)
        with pytest.raises(UnknownRun):
            roll_back(engine, "2026-10-zzzz", LATER)
        assert count(engine, "current_run") == count(engine, "shown") == 0

    def test_no_reader_sees_two_runs_in_one_answer(
        self, engine: Engine, client: TestClient, two: tuple[ForecastRun, ForecastRun]
    ) -> None:
        """Four readers ask over and over, in one go, in pages and as a stream, while the pointer moves."""
        expected = {run.id: float(run.forecast.mean[0, 0]) for run in two}
        leaves = {run.id: run.forecast.mean[-4:, 0].sum() for run in two}
        moving = threading.Event()
        seen: set[str] = set()

        def ask() -> int:
            asked = 0
            while not moving.is_set() or asked == 0:
                with reading(engine) as reader:
                    run = reader.current_run()
                    seen.add(run.id)
                    (total,) = reader.forecasts(select_from(run, where={}), 10).rows
                    assert total.numbers[0][0] == expected[run.id]
                    finest = select_from(run, level="organization,customer,material", where={})
                    (ids,) = reader.id_slices(finest, 10)
                    assert reader.numbers(finest, ids)[:, 0, 0].sum() == leaves[run.id]
                answer = client.get("/v1/forecasts?level=organization&limit=1")
                assert answer.status_code == 200
                page = answer.json()
                rest = client.get(f"/v1/forecasts?level=organization&limit=1&cursor={page['next']}").json()
                assert rest["run"] == page["run"]
                both = sum(each["forecasts"][0]["months"][0]["mean"] for each in (page, rest))
                assert both == expected[page["run"]["id"]]
                asked += 1
            return asked

        with ThreadPoolExecutor(4) as pool:
            readers = [pool.submit(ask) for _ in range(4)]
            try:
                for at in range(60):
                    roll_back(engine, two[at % 2].id, LATEST)
            finally:
                moving.set()
            assert all(reader.result() > 0 for reader in readers)
        assert seen == {run.id for run in two}


class TestReading:
    def test_by_prefix(self, engine: Engine, make_run: MakeRun) -> None:
        for name in ("2026-10-aaaa", "2026-10-aabb", "2026-10-aa", "2026-10-b_x"):
            publish(engine, make_run(name), PUBLISHED)
        assert run_record(engine, "2026-10-aaa").id == "2026-10-aaaa"
        assert run_record(engine, "2026-10-aa").id == "2026-10-aa"
        with pytest.raises(AmbiguousRun, match="2026-10-aa, 2026-10-aaaa, 2026-10-aabb"):
            run_record(engine, "2026-10-a")
        for unknown in ("2027", "", "2026-10-_", "%"):
            with pytest.raises(UnknownRun):
                run_record(engine, unknown)

    def test_newest_first_and_no_more_than_asked(self, engine: Engine, make_run: MakeRun) -> None:
        run = make_run("2026-11-b")
        publish(engine, replace(run, forecast=replace(run.forecast, first=Month(2026, 12))), PUBLISHED)
        publish(engine, make_run("2026-10-a"), LATER)
        publish(engine, make_run("2026-10-c"), PUBLISHED)
        assert [each.id for each in runs(engine, 9)] == ["2026-11-b", "2026-10-a", "2026-10-c"]
        assert [(each.id, each.current) for each in runs(engine, 2)] == [
            ("2026-11-b", False),
            ("2026-10-a", False),
        ]


def test_runs_of_the_version_before_come_along(new_database: Callable[[], str], make_run: MakeRun) -> None:
    engine = open_engine(new_database())
    with engine.begin() as connection:
        config = Config(attributes={"connection": connection})
        config.set_main_option("script_location", str(tables.__file__).replace("tables.py", "migrations"))
        command.upgrade(config, "0002")
        connection.execute(
            text(
                """
                insert into run values
                    ('2026-09-aaaa', '2026-09-01', '2026-10-02 06:00+00', '3f9c', 'm', 't', 'the first', 2,
                        '{total}', '{}'),
                    ('2026-10-bbbb', '2026-10-01', '2026-11-02 06:00+00', '3f9c', 'm', 't', 'the next', 2,
                        '{total}', '{}');
                insert into current_run (run_id) values ('2026-10-bbbb');
                """
            )
        )
    migrate(engine)
    old = run_record(engine, "2026-10")
    assert (old.recorded_at, old.published_at, old.current) == (PUBLISHED, PUBLISHED, True)
    assert (old.recipe, old.panel_first, old.checksum, old.refused) == (None, None, None, ())
    assert old.shown == (Showing(PUBLISHED, "published", "the next"),)
    assert roll_back(engine, "2026-09-aaaa", LATER) == old.id
    run = make_run()
    publish(engine, run, LATER, made(run))
    assert current(engine) == run.id
    engine.dispose()


def test_folds_are_kept_to_the_last_bit(engine: Engine) -> None:
    random = np.random.default_rng(7)
    losses = tuple(random.lognormal(0, 30, (3, 12)) for _ in range(3))
    losses[0][0, 0], losses[0][0, 1] = 0.0, 5e-324
    assert read_fold(engine, "key") is None
    keep_fold(engine, "key", "ensemble", Month(2026, 10), (losses[0], losses[1], losses[2]))
    keep_fold(engine, "key", "ensemble", Month(2026, 10), (losses[1], losses[1], losses[2]))
    kept = read_fold(engine, "key")
    assert kept is not None
    assert [each.tobytes() for each in kept] == [each.tobytes() for each in losses]

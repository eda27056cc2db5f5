"""The month on a real PostgreSQL: contest, verdict, refusal; killed anywhere it ends where it would have."""

import datetime as dt
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np
import polars as pl
import pytest
from sqlalchemy import Engine, event, text

from app.absences import NothingPublished
from app.store import tables
from app.store.engine import open_engine
from app.store.lineage import KeptModel, Lineage
from app.store.read import reading
from app.store.run_records import run_record
from forecasting.checksum import forecast_checksum
from forecasting.months import Month
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from ingestion.order_line import LINES
from ingestion.snapshot import Snapshot
from retrain.errors import Refused
from retrain.folds import Fold
from retrain.jumps import Bounds
from retrain.pipeline import STAGES, RetrainedMonth, Rules, retrain_month
from retrain.plan import KEYS, Plan, plan_of
from retrain.policy import Policy
from retrain.recipes import recipe_of, shipped_recipes
from retrain.registry import Candidate, CodeIdentity, Registry
from retrain.verdict_record import verdict_of
from tonnage.serving_tables import KeptFolds, PublishedRuns

OCTOBER = Month(2026, 10)
NOON = dt.datetime(2026, 11, 3, 12, tzinfo=dt.UTC)
LATER = dt.datetime(2026, 12, 3, 12, tzinfo=dt.UTC)
NAIVE, THETA = shipped_recipes().pick("seasonal-naive"), shipped_recipes().pick("theta")
PLAN = Plan(KEYS, ((), ("customer",), KEYS), 3, (0.1, 0.5, 0.9), NAIVE)
RULES = Rules(PLAN, Policy((THETA,), origins=14), Bounds())
STRICT = replace(RULES, bounds=Bounds(max_jump_year=0.001))
CODE = CodeIdentity("0.2.0", "abc", "def")


class Killed(BaseException):
    """The process is gone: nobody below may take it for a failure of their own."""


@dataclass
class KeptModels:
    """A registry in memory: versions by run, and who was promoted, in order."""

    versions: dict[str, tuple[Month, Recipe]] = field(default_factory=dict)
    promoted: list[str] = field(default_factory=list)

    def champion(self, before: Month) -> Recipe | None:
        champions = [self.versions[run] for run in self.promoted if self.versions[run][0] < before]
        return max(champions, key=lambda version: version[0])[1] if champions else None

    def record(self, candidate: Candidate) -> tuple[KeptModel, ...]:
        self.versions.setdefault(candidate.run.id, (candidate.run.origin, candidate.recipe))
        return (KeptModel(None, "all", str(len(self.versions))),)

    def promote(self, run: str) -> None:
        assert run in self.versions
        if self.promoted[-1:] != [run]:
            self.promoted.append(run)


@dataclass
class KeptInMemory:
    """Folds in memory, and how often one was kept."""

    folds: dict[str, Fold] = field(default_factory=dict)
    kept: list[tuple[str, Month]] = field(default_factory=list)

    def find(self, key: str) -> Fold | None:
        return self.folds.get(key)

    def keep(self, key: str, recipe: str, origin: Month, fold: Fold) -> None:
        self.kept.append((recipe, origin))
        self.folds[key] = fold


@dataclass
class Fate:
    """Counts the moments of a month, and kills it at one of them."""

    at: int | None = None
    moments: list[str] = field(default_factory=list)

    def moment(self, what: str) -> None:
        self.moments.append(what)
        if self.at is not None and len(self.moments) > self.at:
            raise Killed(what)


@dataclass(frozen=True)
class MortalRegistry:
    """A registry that may be left before or after each of its effects."""

    registry: Registry
    fate: Fate

    def champion(self, before: Month) -> Recipe | None:
        return self.registry.champion(before)

    def record(self, candidate: Candidate) -> tuple[KeptModel, ...]:
        self.fate.moment("before the version is recorded")
        models = self.registry.record(candidate)
        self.fate.moment("after the version is recorded")
        return models

    def promote(self, run: str) -> None:
        self.fate.moment("before it is promoted")
        self.registry.promote(run)
        self.fate.moment("after it is promoted")


@dataclass(frozen=True)
class MortalStore(PublishedRuns):
    """A store that may be left before, within or after each of its effects."""

    fate: Fate = field(default_factory=Fate)

    def publish(self, run: ForecastRun, published_at: dt.datetime, lineage: Lineage) -> bool:
        with self._mortal("publish"):
            return super().publish(run, published_at, lineage)

    def record(self, run: ForecastRun, recorded_at: dt.datetime, lineage: Lineage) -> bool:
        with self._mortal("record"):
            return super().record(run, recorded_at, lineage)

    def _mortal(self, what: str) -> "_Statements":
        return _Statements(self.engine, self.fate, what)


@dataclass(frozen=True)
class _Statements:
    """Every statement within is a moment, and so are its beginning and its end."""

    engine: Engine
    fate: Fate
    what: str

    def _before(self, _: object, __: object, statement: str, *___: object) -> None:
        self.fate.moment(f"{self.what}: {statement[:30]}")

    def __enter__(self) -> None:
        self.fate.moment(f"before {self.what}")
        event.listen(self.engine, "before_cursor_execute", self._before)

    def __exit__(self, kind: object, *_: object) -> None:
        event.remove(self.engine, "before_cursor_execute", self._before)
        if kind is None:
            self.fate.moment(f"after {self.what}")


@dataclass(frozen=True)
class House:
    """A database, a registry and folds; months are run in it."""

    engine: Engine
    snapshots: Callable[[Month], Snapshot]
    registry: Any = field(default_factory=KeptModels)
    folds: Any = field(default_factory=KeptInMemory)

    def run(
        self,
        month: Month = OCTOBER,
        rules: Rules = RULES,
        *,
        fate: Fate | None = None,
        moment: dt.datetime = NOON,
        accepted: str | None = None,
    ) -> RetrainedMonth:
        fate = fate or Fate()
        return retrain_month(
            month,
            rules,
            take_snapshot=self.snapshots,
            registry=MortalRegistry(self.registry, fate),
            store=MortalStore(self.engine, fate=fate),
            folds=self.folds,
            published_at=moment,
            code=CODE,
            on_stage=fate.moment,
            accepted=accepted,
        )

    def tables(self) -> dict[str, list[tuple[object, ...]]]:
        """All rows but ids that only count."""
        with self.engine.connect() as connection:
            return {
                name: [
                    tuple(row)
                    for row in connection.execute(text(f"select {columns} from {name} order by 1, 2"))
                ]
                for name, columns in (
                    (
                        "run",
                        "id, published_at, recorded_at, because, checksum, refused, accepted, verdict",
                    ),
                    ("current_run", "run_id, single"),
                    ("shown", "run_id, what, at, because"),
                    ("node", "level, customer, material"),
                    ("history", "run_id, quantity"),
                    ("forecast", "run_id, month, mean, quantiles"),
                )
            }

    def empty(self) -> "House":
        """The same with nothing in its tables and registry; folds are found again."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(
                "set local session_replication_role = replica"
            )  # the audit trail guards itself
            for table in reversed(tables.metadata.sorted_tables):
                connection.execute(table.delete())
        return replace(self, registry=KeptModels())

    def shown(self) -> str | None:
        with reading(self.engine) as reader:
            try:
                return reader.current_run().id
            except NothingPublished:
                return None


@pytest.fixture(scope="module")
def migrated(new_migrated: Callable[[], str]) -> Iterator[Engine]:
    engine = open_engine(new_migrated())
    yield engine
    engine.dispose()


@pytest.fixture(scope="module")
def everything(migrated: Engine, sealed: Callable[..., Snapshot]) -> House:
    """Four years of three customers who buy about as much every month, up to any of the last months."""
    random = np.random.default_rng(5)
    months = [Month(2022, 11) + at for at in range(50)]
    rows = [
        (
            "erp",
            f"{customer}{month}",
            "NORD",
            customer,
            "COIL",
            month.first_day,
            int(random.integers(50, 150)) * 1000,
        )
        for month in months
        for customer in ("K-1", "K-2", "K-3")
    ]
    lines = pl.DataFrame(rows, schema=LINES, orient="row")

    def snapshot(month: Month) -> Snapshot:
        return sealed(lines.filter(pl.col("date") < (month + 1).first_day), month=month)

    return House(migrated, snapshot)


@pytest.fixture
def house(everything: House) -> House:
    return everything.empty()


class TestMonth:
    def test_the_winner_is_fitted_recorded_promoted_and_shown(self, house: House) -> None:
        fate = Fate()
        done = house.run(fate=fate)
        assert done.verdict.winner == THETA
        assert done.verdict.promoted
        assert done.published
        assert done.run.model == f"theta-{done.run.id.removeprefix('2026-10-')}"
        assert done.run.because == done.verdict.because
        assert house.shown() == done.run.id
        assert house.registry.champion(OCTOBER + 1) == THETA
        assert [each for each in fate.moments if each in STAGES] == list(STAGES)
        assert "contest: seasonal-naive from 2025-06, 1 of 28" in fate.moments

    def test_what_is_recorded_is_enough_to_make_it_again(self, house: House) -> None:
        done = house.run()
        kept = run_record(house.engine, done.run.id)
        assert kept.recipe is not None
        assert kept.plan is not None
        assert kept.verdict is not None
        assert plan_of(kept.plan, recipe_of(kept.recipe)) == replace(PLAN, recipe=THETA)
        assert verdict_of(kept.verdict) == done.verdict
        assert (kept.code_version, kept.code_commit, kept.code_lock) == ("0.2.0", "abc", "def")
        assert (kept.snapshot, kept.panel_first) == (done.snapshot.id, done.panel.first)
        assert kept.checksum == forecast_checksum(done.run.forecast)

    def test_again_nothing_changes(self, house: House) -> None:
        first = house.run()
        before = house.tables()
        again = house.run(moment=LATER)
        assert (again.run.id, again.published) == (first.run.id, False)
        assert house.tables() == before
        assert house.registry.promoted == [first.run.id]

    def test_who_wins_otherwise_makes_the_same_run(self, house: House) -> None:
        won = house.run()
        plain = Rules(replace(PLAN, recipe=THETA), Policy(), Bounds())
        assert house.empty().run(rules=plain).run.id == won.run.id

    def test_without_a_challenger_no_contest_is_held(self, house: House) -> None:
        alone, fate = replace(house, folds=KeptInMemory()), Fate()
        for policy in (Policy(), Policy((NAIVE,))):
            done = alone.run(rules=replace(RULES, policy=policy), fate=fate)
            assert done.verdict.because == "seasonal-naive stays: it has no challenger"
            assert run_record(house.engine, done.run.id).verdict is not None
        assert not any(moment.startswith("contest:") for moment in fate.moments)
        assert alone.folds.kept == []

    def test_the_next_month_asks_one_new_origin_of_each_recipe(self, house: House) -> None:
        afresh = replace(house, folds=KeptInMemory())
        afresh.run()
        assert len(afresh.folds.kept) == 28
        done = afresh.run(OCTOBER + 1, moment=LATER)
        # The champion was the challenger, and does not challenge itself.
        assert done.verdict.because == "theta stays: it has no challenger"
        other = replace(RULES, policy=replace(RULES.policy, challengers=(THETA, NAIVE)))
        done = afresh.run(OCTOBER + 1, other, moment=LATER)
        assert done.verdict.winner == done.verdict.champion == THETA
        assert afresh.folds.kept[28:] == [("theta", Month(2026, 8)), ("seasonal-naive", Month(2026, 8))]

    def test_a_month_run_again_finds_the_champion_it_found(self, house: House) -> None:
        first = house.run()
        second = house.run(OCTOBER + 1, moment=LATER)
        assert (second.verdict.champion, house.registry.champion(OCTOBER + 2)) == (THETA, THETA)
        again = house.run(moment=LATER)
        assert (again.verdict.champion, again.run.id) == (NAIVE, first.run.id)

    def test_folds_in_the_tables_give_the_same_run(self, house: House) -> None:
        first = house.run()
        other = replace(house.empty(), folds=KeptFolds(house.engine))
        found = [other.run(), other.empty().run(), other.run(moment=LATER)]
        assert {each.run.id for each in found} == {first.run.id}
        assert {forecast_checksum(each.run.forecast) for each in found} == {
            forecast_checksum(first.run.forecast)
        }


class TestRefused:
    def test_it_is_recorded_and_the_last_one_stays(self, house: House) -> None:
        first = house.run()
        with pytest.raises(Refused, match="--accept"):
            house.run(OCTOBER + 1, STRICT, moment=LATER)
        assert house.shown() == first.run.id
        (refused,) = set(house.registry.versions) - {first.run.id}
        kept = run_record(house.engine, refused)
        assert (kept.published_at, kept.recorded_at, kept.accepted) == (None, LATER, None)
        assert any("a year before" in reason for reason in kept.refused)
        assert house.registry.champion(OCTOBER + 2) == THETA
        before = house.tables()
        with pytest.raises(Refused):
            house.run(OCTOBER + 1, STRICT, moment=LATER)
        assert house.tables() == before

    def test_accepted_it_is_shown_and_the_reason_stands(self, house: House) -> None:
        with pytest.raises(Refused) as refused:
            house.run(rules=STRICT)
        done = house.run(rules=STRICT, moment=LATER, accepted="a new plant")
        assert done.published
        assert done.run.id == refused.value.run == house.shown()
        kept = run_record(house.engine, done.run.id)
        assert (kept.accepted, kept.recorded_at, kept.published_at) == ("a new plant", NOON, LATER)
        assert list(kept.refused) == refused.value.reasons
        assert [(each.what, each.because) for each in kept.shown] == [("accepted", "a new plant")]
        assert kept.because.startswith(f"{done.verdict.because}; shown although ")
        before = house.tables()
        again = house.run(rules=STRICT, moment=LATER + dt.timedelta(1))
        assert not again.published
        assert house.tables() == before

    def test_a_reason_given_before_a_crash_is_not_asked_for_again(self, house: House) -> None:
        fate = Fate()
        house.run(rules=STRICT, accepted="a new plant", fate=fate)
        at = fate.moments.index("before it is promoted")
        other = house.empty()
        with pytest.raises(Killed):
            other.run(rules=STRICT, accepted="a new plant", fate=Fate(at))
        assert other.shown() is None
        other.run(rules=STRICT)
        assert run_record(other.engine, str(other.shown())).accepted == "a new plant"


@pytest.mark.parametrize(("rules", "accepted"), [(RULES, None), (STRICT, "a new plant")])
def test_killed_anywhere_the_next_start_ends_as_if_nothing_had_been(
    everything: House, rules: Rules, accepted: str | None
) -> None:
    """At every stage, before and after every effect, and before every statement within them."""
    fate = Fate()
    house = everything.empty()
    undisturbed = house.run(rules=rules, accepted=accepted, fate=fate).run.id
    expected, promoted = house.tables(), house.registry.promoted
    contest = [at for at, what in enumerate(fate.moments) if what.startswith("contest:")]
    moments = [at for at in range(len(fate.moments)) if at not in contest[1:-1]]
    assert len(moments) > 20
    for at in moments:
        house = house.empty()
        with pytest.raises(Killed):
            house.run(rules=rules, accepted=accepted, fate=Fate(at))
        shown = house.shown()
        assert shown in {None, undisturbed}
        if shown:
            assert house.tables() == expected
            assert house.registry.promoted == promoted, "what is shown is recorded and champion"
        done = house.run(rules=rules, accepted=accepted)
        assert done.run.id == undisturbed, fate.moments[at]
        assert house.tables() == expected, fate.moments[at]
        assert house.registry.promoted == promoted
        assert list(house.registry.versions) == [undisturbed]

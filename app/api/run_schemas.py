"""The shapes of what is told of runs, and how records become them."""

import datetime as dt
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.api.schemas import MonthName
from app.store.run_records import RecordedRun
from forecasting.hierarchy import level_name


class Shape(BaseModel):
    """What every answer has: no more members than are declared."""

    model_config = ConfigDict(extra="forbid")


class Shown(Shape):
    """A moment from which on a run was the one that is shown."""

    at: dt.datetime
    what: Literal["published", "accepted", "rolled back"]
    because: str = Field(examples=["ensemble stays: no challenger lost enough less"])


class RunSummary(Shape):
    """A run in a list. Callers of some organizations see no reasons and no verdict: they tell of totals."""

    id: str = Field(examples=["2026-10-3f9c1a2b4d5e"])
    origin: MonthName = Field(description="Last month of history behind the run.")
    recorded_at: dt.datetime
    published_at: dt.datetime | None = Field(description="When it was first shown; null where it never was.")
    current: bool = Field(description="Whether it is the one that is shown now.")
    shown: list[Shown]
    model: str = Field(examples=["ensemble-3f9c1a2b4d5e"])
    recipe: str | None = Field(examples=["ensemble"], description="Null for runs of before version 0.3.")
    verdict: str | None = Field(description="Why this recipe won, in words.")
    promoted: bool | None = Field(description="Whether it took the champion's place in that month.")
    refused: list[str] = Field(description="The guard's reasons against showing it.")
    accepted: str | None = Field(description="Somebody's reason to show it all the same.")
    snapshot: str = Field(examples=["3f9c1a2b4d5e"])


class Runs(Shape):
    """A page of runs, by origin, then by when they were recorded, the newest first."""

    runs: list[RunSummary]
    next: str | None = Field(description="Cursor of the next page; null on the last.")


class Code(Shape):
    """Which code made a run; empty where nobody could tell."""

    version: str
    commit: str
    lock: str = Field(description="SHA-256 of its lock file.")


class RegisteredModel(Shape):
    """What the registry, MLflow, calls a model."""

    name: str = Field(examples=["tonnage-customer"])
    version: str = Field(examples=["7"])


class RunRecord(Shape):
    """Everything that was recorded of a run but its numbers. What older versions did not keep is null."""

    id: str = Field(examples=["2026-10-3f9c1a2b4d5e"])
    origin: MonthName = Field(description="Last month of history behind the run.")
    recorded_at: dt.datetime
    published_at: dt.datetime | None = Field(description="When it was first shown; null where it never was.")
    current: bool = Field(description="Whether it is the one that is shown now.")
    shown: list[Shown]
    snapshot: str = Field(description="The snapshot of order lines it was made from.")
    model: str = Field(description="The model version that made it.")
    unit: Literal["t", "piece"]
    because: str = Field(description="Why this model was chosen; empty for callers of some organizations.")
    first: MonthName = Field(description="First month forecast.")
    last: MonthName = Field(description="Last month forecast.")
    levels: list[str] = Field(examples=[["total", "organization", "organization,customer,material"]])
    quantiles: list[float] = Field(examples=[[0.1, 0.5, 0.9]])
    recipe: dict[str, JsonValue] | None = Field(examples=[{"name": "ensemble", "members": ["theta"]}])
    plan: dict[str, JsonValue] | None = Field(examples=[{"horizon": 12}])
    code: Code | None
    history_first: MonthName | None = Field(description="First month of history behind the run.")
    checksum: str | None = Field(description="SHA-256 of the forecast.")
    verdict: dict[str, JsonValue] | None = Field(
        description="What the contest found, whole: who took part, on which folds, what each lost, the rule.",
        examples=[{"because": "ensemble stays: it has no challenger", "promoted": False}],
    )
    refused: list[str] = Field(description="The guard's reasons against showing it.")
    accepted: str | None = Field(description="Somebody's reason to show it all the same.")
    bundle: RegisteredModel | None = Field(description="What pins the models of all levels.")


def run_summary(run: RecordedRun) -> RunSummary:
    """A run in a list."""
    verdict = run.verdict or {}
    because, promoted = verdict.get("because"), verdict.get("promoted")
    return RunSummary(
        id=run.id,
        origin=str(run.origin),
        recorded_at=utc(run.recorded_at),
        published_at=None if run.published_at is None else utc(run.published_at),
        current=run.current,
        shown=_shown(run),
        model=run.model,
        recipe=None if run.recipe is None else str(run.recipe["name"]),
        verdict=None if because is None else str(because),
        promoted=None if promoted is None else bool(promoted),
        refused=list(run.refused),
        accepted=run.accepted,
        snapshot=run.snapshot,
    )


def run_document(run: RecordedRun) -> RunRecord:
    """Everything of a run."""
    return RunRecord.model_validate(
        {
            "id": run.id,
            "origin": str(run.origin),
            "recorded_at": utc(run.recorded_at),
            "published_at": None if run.published_at is None else utc(run.published_at),
            "current": run.current,
            "shown": _shown(run),
            "snapshot": run.snapshot,
            "model": run.model,
            "unit": run.unit,
            "because": run.because,
            "first": str(run.origin + 1),
            "last": str(run.origin + run.horizon),
            "levels": [level_name(level) for level in run.levels],
            "quantiles": list(run.probabilities),
            "recipe": run.recipe,
            "plan": run.plan,
            "code": code_of(run),
            "history_first": None if run.panel_first is None else str(run.panel_first),
            "checksum": run.checksum,
            "verdict": run.verdict,
            "refused": list(run.refused),
            "accepted": run.accepted,
            "bundle": registered(run, None),
        }
    )


def code_of(run: RecordedRun) -> Code | None:
    """Which code made a run; None where it did not keep that."""
    if run.code_version is None:
        return None
    return Code(version=run.code_version, commit=run.code_commit or "", lock=run.code_lock or "")


def registered(run: RecordedRun, level: str | None) -> RegisteredModel | None:
    """What the registry calls the model of a level, or the bundle; None where nobody kept it."""
    for each in run.models or ():
        if each.level == level:
            return RegisteredModel(name=each.name, version=each.version)
    return None


def utc(moment: dt.datetime) -> dt.datetime:
    """The moment as every answer tells it, whatever zone the database has."""
    return moment.astimezone(dt.UTC)


def _shown(run: RecordedRun) -> list[Shown]:
    return [Shown(at=utc(each.at), what=each.what, because=each.because) for each in run.shown]

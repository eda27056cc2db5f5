"""`/v1/models`: which model forecasts each level, and what it lost on past months."""

from collections.abc import Mapping
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query
from pydantic import BaseModel, ConfigDict, Field, JsonValue

from app.api.asking import Asker
from app.api.parameters import KeyValue
from app.api.problems import declared
from app.api.run_schemas import RegisteredModel, Shape, registered
from app.api.schemas import MonthName, RunName, run_name
from app.api.sight import CURRENT, Sight, find_run
from app.store.keys import canonical
from app.store.run_records import RecordedRun, as_published
from forecasting.hierarchy import level_name, parse_level

router = APIRouter(tags=["models"])


class ModelsQuery(BaseModel):
    """Of which run."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = Field(default=CURRENT, description="A run's id, or `current`.")


class LevelModel(Shape):
    """The model of a level; what it lost is null where no contest was held."""

    level: str = Field(examples=["customer"])
    registered: RegisteredModel | None = Field(description="In MLflow; null where it was not kept.")
    loss: float | None = Field(description="Mean over folds, as a share of demand.", examples=[0.21])
    loss_by_lead: list[float | None] | None = Field(description="The same for each month ahead.")


class Models(Shape):
    """The models that made a run."""

    run: RunName
    recipe: dict[str, JsonValue] | None = Field(examples=[{"name": "ensemble", "members": ["theta"]}])
    bundle: RegisteredModel | None = Field(description="What pins the models of all levels in MLflow.")
    measure: Literal["pinball", "absolute"] | None = Field(
        description="What losses are: twice the pinball loss, mean over quantiles, or the absolute error of "
        "the median, on past months that the model had not seen."
    )
    origins: list[MonthName] = Field(description="The past months from which it was made to forecast.")
    levels: list[LevelModel]


@router.get("/v1/models", summary="Models by level, with their losses", responses=declared(404, 422, 503))
def get_models(connection: Sight, caller: Asker, asked: Annotated[ModelsQuery, Query()]) -> Models:
    """Which registered version forecasts each level of a run, by which recipe, and what the contest found."""
    return models(find_run(connection, caller, asked.run))


def models(run: RecordedRun) -> Models:
    """As `Models`."""
    verdict: Mapping[str, Any] = run.verdict or {}
    winner = verdict.get("winner", {}).get("key")
    standing = next((each for each in verdict.get("standings", ()) if each["key"] == winner), None)
    judged = [_served(name) for name in verdict.get("levels", ())]
    levels = []
    for level in map(level_name, run.levels):
        found = None if standing is None or level not in judged else judged.index(level)
        levels.append(
            {
                "level": level,
                "registered": registered(run, level),
                "loss": None if standing is None or found is None else standing["by_level"][found],
                "loss_by_lead": None if standing is None or found is None else standing["by_lead"][found],
            }
        )
    return Models.model_validate(
        {
            "run": run_name(as_published(run)),
            "recipe": run.recipe,
            "bundle": registered(run, None),
            "measure": None if standing is None else verdict["policy"]["loss"],
            "origins": list(verdict.get("origins", ())),
            "levels": levels,
        }
    )


def _served(level: str) -> str:
    return level_name(canonical(parse_level(level)))

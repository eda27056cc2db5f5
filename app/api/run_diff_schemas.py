"""The shape of what changed between two runs."""

from typing import Literal

from pydantic import ConfigDict, Field

from app.api.run_schemas import Shape
from app.api.schemas import MonthName, NodeName, RunName, node_name, run_name
from app.store.node_changes import Changed, RunsCompared
from app.store.run_changes import KeptCauses
from app.store.selection import PublishedRun, Selection
from forecasting.hierarchy import level_name

_NOT_KEPT = (
    "causes are kept for a run and the one that was shown before it, and for these two they are not; "
    "they can be computed, by fitting again: tonnage runs diff {before} {after}"
)


class Numbers(Shape):
    """Means of a node, or of many together, month by month."""

    before: list[float]
    after: list[float]
    change: list[float]
    causes: dict[str, list[float]] | None = Field(
        description="By how much each cause moved each month; they add up to the change. `history`: months "
        "that were known and changed since; `actuals`: months that came in between; `plan`: other levels, "
        "keys or horizon; `recipe`: another recipe; `code`: another version. Null where nobody kept them.",
        examples=[{"history": [0.5], "actuals": [-2.1], "plan": [0.0], "recipe": [0.0], "code": [0.0]}],
    )


class NodeDiff(Numbers, NodeName):
    """A node and its numbers in both runs, zero where a run lacks it."""

    model_config = ConfigDict(extra="allow")


class RunDiff(Shape):
    """What changed over the months that both runs forecast, in their unit."""

    before: RunName
    after: RunName
    unit: Literal["t", "piece"]
    level: str = Field(examples=["customer"])
    months: list[MonthName]
    why_no_causes: str | None = Field(description="Null where the causes are there.")
    all: Numbers = Field(description="The sum over every node that was asked for.")
    changed_nodes: int = Field(description="How many nodes changed, in this answer or not.")
    nodes: list[NodeDiff] = Field(description="Those that changed most over all months, the first most.")


def run_diff(
    selection: Selection, before: PublishedRun, causes: KeptCauses | None, found: RunsCompared
) -> RunDiff:
    """As `RunDiff`."""
    after = selection.run
    why = None if causes is not None else _NOT_KEPT.format(before=before.id, after=after.id)
    return RunDiff.model_validate(
        {
            "before": run_name(before),
            "after": run_name(after),
            "unit": after.unit,
            "level": level_name(selection.level),
            "months": [str(month) for month in found.months],
            "why_no_causes": why,
            "all": _numbers(found.all),
            "changed_nodes": found.changed_nodes,
            "nodes": [node_name(selection, each.node) | _numbers(each.changed) for each in found.nodes],
        }
    )


def _numbers(changed: Changed) -> dict[str, object]:
    causes = changed.causes
    return {
        "before": list(changed.before),
        "after": list(changed.after),
        "change": list(changed.change),
        "causes": None if causes is None else {cause: list(moved) for cause, moved in causes.items()},
    }

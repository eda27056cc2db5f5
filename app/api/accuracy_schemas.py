"""The shapes of what is told of accuracy."""

from typing import Literal

from pydantic import ConfigDict, Field

from app.api.run_schemas import Shape
from app.api.schemas import MonthName, NodeName, RunName, node_name, run_name
from app.store.accuracy import Accuracy
from app.store.selection import Selection
from app.store.worst_nodes import WorstNodes
from forecasting.hierarchy import level_name


class AccuracyRow(Shape):
    """Published forecasts against what came. What the answer is not parted by is null.

    Amounts are in the unit of the runs. A measure without meaning, such as a share of no demand, is null.
    """

    level: str = Field(examples=["customer"])
    lead: int | None = Field(description="Months from the origin.", examples=[1])
    month: MonthName | None = Field(description="The month that came.")
    run: str | None = Field(description="The run that is scored.", examples=["2026-09-3f9c1a2b4d5e"])
    demand_class: str | None = Field(
        description="smooth, erratic, intermittent, lumpy (Syntetos & Boylan) or silent, by the history that "
        "the scored run had.",
        examples=["lumpy"],
    )
    abc: Literal["A", "B", "C"] | None = Field(
        description="A: nodes that together had 80 % of the level's tonnes in the year before; B: up to 95 %."
    )
    months: int
    runs: int
    cells: int = Field(description="Nodes times months.")
    demand: float = Field(description="Sum of absolute actual values.")
    lost: float = Field(description="Sum of absolute errors of the median.")
    error: float = Field(description="Sum of the mean less what came.")
    wape: float | None = Field(description="Lost as a share of demand.", examples=[0.21])
    bias: float | None = Field(description="Error as a share of demand: above zero, too much was forecast.")
    mase: float | None = Field(
        description="Mean of each node's absolute error by its own mean difference to the year before "
        "(Hyndman & Koehler 2006), over cells that have one. Null where only versions before 0.3 kept scores."
    )
    wql: float | None = Field(
        description="Twice the pinball loss, mean over quantiles, as a share of demand."
    )
    coverage_p10_p90: float | None = Field(description="Share of cells from p10 to p90; should be 0.8.")
    value_added_seasonal: float | None = Field(
        description="WAPE of the seasonal naive less ours, where both are known: above zero, the forecast "
        "was worth having."
    )
    mae_ratio_seasonal: float | None = Field(description="Our absolute error by the seasonal naive's.")


class AccuracyTable(Shape):
    """Rows sorted by level (the total first), lead, month, run, class, as far as they are parted by them."""

    rows: list[AccuracyRow]
    more: bool = Field(description="Whether there are more rows than were asked for.")


class NodeErrors(NodeName):
    """A node and what was lost there."""

    model_config = ConfigDict(extra="allow")

    lost: float = Field(description="Sum of absolute errors of the median.", examples=[118.4])
    error: float = Field(description="Sum of the mean less what came.")
    said: float = Field(description="Sum of the means.")
    demand: float = Field(description="Sum of absolute actual values.")
    wape: float | None
    bias: float | None


class AccuracyOfNodes(Shape):
    """Nodes at which most was lost, the most first, in the unit of the run that told what came."""

    run: RunName
    unit: Literal["t", "piece"]
    level: str
    lead: int
    months: list[MonthName] = Field(description="The months that were scored.")
    runs: list[str] = Field(description="The run that each of them was scored by.")
    nodes: list[NodeErrors]


def accuracy_row(found: Accuracy) -> AccuracyRow:
    """As `AccuracyRow`."""
    return AccuracyRow.model_validate(
        {
            "level": level_name(found.level),
            "month": None if found.month is None else str(found.month),
            "lost": found.absolute_error,
        }
        | {
            name: getattr(found, name)
            for name in AccuracyRow.model_fields
            if name not in {"level", "month", "lost"}
        }
    )


def accuracy_of_nodes(selection: Selection, lead: int, found: WorstNodes) -> AccuracyOfNodes:
    """As `AccuracyOfNodes`."""
    return AccuracyOfNodes.model_validate(
        {
            "run": run_name(selection.run),
            "unit": selection.run.unit,
            "level": level_name(selection.level),
            "lead": lead,
            "months": [str(month) for month in found.months],
            "runs": list(found.runs),
            "nodes": [
                node_name(selection, each.node)
                | {
                    "lost": each.lost,
                    "error": each.error,
                    "said": each.said,
                    "demand": each.demand,
                    "wape": each.lost / each.demand if each.demand > 0 else None,
                    "bias": each.error / each.demand if each.demand > 0 else None,
                }
                for each in found.nodes
            ],
        }
    )

"""What a file of forecasts says of itself, for whoever finds it later."""

from app.store.selection import Selection
from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name

_ORDERS = {
    "nodes": "by name",
    "mean": "by the sum of the means, the smallest first",
    "-mean": "by the sum of the means, the largest first",
}


def notes_of(selection: Selection) -> list[tuple[str, str]]:
    """What it is, and the words for it."""
    run = selection.run
    filters = [f"{key} is {' or '.join(values)}" for key, values in selection.where.items()]
    quantiles = [
        f"{quantile_name(each)}: with a probability of {each} demand is at most this"
        for each in selection.probabilities
    ]
    return [
        ("run", run.id),
        ("origin", f"{run.origin}, the last month of history"),
        ("published", run.published_at.isoformat()),
        ("snapshot", run.snapshot),
        ("model", run.model),
        ("unit", run.unit),
        ("level", level_name(selection.level)),
        ("filters", "; ".join(filters) or "none"),
        ("months", f"{selection.first} to {selection.last}"),
        ("measures", ", ".join(selection.measures)),
        ("mean", "expected demand of the month; means add up at every level"),
        *(("quantile", text) for text in quantiles),
        ("order", _ORDERS[selection.sort]),
        ("an empty key", "is summed over"),
    ]

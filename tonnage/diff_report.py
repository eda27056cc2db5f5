"""What the command line prints about two runs: tonnes of each node's change, by cause."""

import numpy as np
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.keys import canonical
from app.store.run_records import RecordedRun
from app.store.stored_forecast import BETWEEN
from forecasting.arrays import Ints
from forecasting.hierarchy import Level, level_name, parse_level
from retrain.run_diff import CAUSES, RunDiff

_CALLED = {
    "history": "changed history",
    "actuals": "new actuals",
    "plan": "plan",
    "recipe": "recipe",
    "code": "code",
}


def chosen_level(diff: RunDiff, asked: Level | None) -> str | None:
    """The level asked for, as nodes are stored, or the last one; None where the runs do not share it."""
    levels = diff.nodes["level"].unique(maintain_order=True).to_list()
    if asked is None:
        return str(levels[-1])
    wanted = level_name(canonical(asked))
    return wanted if wanted in levels else None


def print_diff(
    console: Console, before: RecordedRun, after: RecordedRun, diff: RunDiff, *, level: str, top: int
) -> None:
    """The nodes of a level that changed most over the months that both runs forecast, and all of them."""
    months = f"{diff.months[0]} to {diff.months[-1]}" if len(diff.months) > 1 else str(diff.months[0])
    console.print(
        f"From run [bold]{before.id}[/] (snapshot {before.snapshot[:12]}, {before.model}) "
        f"to [bold]{after.id}[/] (snapshot {after.snapshot[:12]}, {after.model})",
        highlight=False,
        soft_wrap=True,
    )
    own = np.flatnonzero((diff.nodes["level"] == level).to_numpy())
    ranked = ranked_nodes(diff, own)
    table = Table(title=f"{level}, {months}, in {after.unit}", title_justify="left", show_footer=True)
    table.add_column("node", footer="all")
    was, now = diff.before[own].sum(), diff.after[own].sum()
    for name, total in (("before", was), ("after", now)):
        table.add_column(name, justify="right", footer=f"{total:,.1f}")
    table.add_column("change", justify="right", footer=_signed(now - was))
    for place, cause in enumerate(CAUSES):
        table.add_column(_CALLED[cause], justify="right", footer=_signed(diff.causes[place, own].sum()))
    for row in ranked[:top]:
        table.add_row(
            escape(node_name(diff, row)),
            f"{diff.before[row].sum():,.1f}",
            f"{diff.after[row].sum():,.1f}",
            _signed(diff.change[row].sum()),
            *(_signed(values[row].sum()) for values in diff.causes),
        )
    console.print(table)
    left = len(ranked) - top
    if left > 0:
        console.print(f"and {left:,} more nodes that changed; --top {len(ranked)} shows all")


def diff_json(
    before: RecordedRun, after: RecordedRun, diff: RunDiff, *, level: str, top: int
) -> dict[str, object]:
    """The same as JSON's own types, month by month."""
    own = np.flatnonzero((diff.nodes["level"] == level).to_numpy())
    return {
        "before": before.id,
        "after": after.id,
        "unit": after.unit,
        "level": level,
        "months": [str(month) for month in diff.months],
        "total": _numbers(diff, own),
        "nodes": [
            {"node": node_values(diff, row), **_numbers(diff, np.array([row]))}
            for row in ranked_nodes(diff, own)[:top].tolist()
        ],
    }


def ranked_nodes(diff: RunDiff, rows: Ints) -> Ints:
    """Those of some nodes that changed, by the size of their change over all months."""
    moved = rows[np.abs(diff.causes[:, rows]).sum(axis=(0, 2)) > 0]
    return moved[np.argsort(-np.abs(diff.change[moved].sum(axis=1)), kind="stable")]


def node_values(diff: RunDiff, row: int) -> dict[str, str]:
    """The values of a node's keys and attributes."""
    level, *keys, attributes = diff.nodes.row(row)
    values = [key for key in keys if key is not None]
    names = parse_level(str(level))
    if len(names) > len(values):
        values += attributes.split(BETWEEN)
    return dict(zip(names, values, strict=True))


def node_name(diff: RunDiff, row: int) -> str:
    """A node as people write it."""
    return " ".join(node_values(diff, row).values()) or "total"


def _numbers(diff: RunDiff, rows: Ints) -> dict[str, object]:
    return {
        "before": diff.before[rows].sum(axis=0).tolist(),
        "after": diff.after[rows].sum(axis=0).tolist(),
        "change": diff.change[rows].sum(axis=0).tolist(),
        "causes": {
            cause: values[rows].sum(axis=0).tolist()
            for cause, values in zip(CAUSES, diff.causes, strict=True)
        },
    }


def _signed(value: float) -> str:
    return "-" if value == 0 else f"{value:+,.1f}"

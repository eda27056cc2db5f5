"""What the command line prints of a trace: a tree from the number down to the order lines."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.tree import Tree

from forecasting.forecast import quantile_name
from forecasting.hierarchy import level_name
from retrain.trace import Trace, in_unit
from tonnage.run_report import run_json

_MOST_MONTHS = 13
# A tree cuts what is longer than the console; a terminal wraps it.
_UNCUT = 10_000


def print_trace(console: Console, trace: Trace) -> None:
    """The number, the run that says it, the snapshot behind it, the months and lines behind that."""
    tree = Tree(f"[bold]{_number(trace)}[/]", highlight=False)
    _add_run(tree, trace)
    _add_snapshot(tree, trace)
    _add_months(tree, trace)
    _add_lines(tree, trace)
    console.print(tree, width=_UNCUT, crop=False)


def trace_json(trace: Trace) -> dict[str, object]:
    """The same as JSON's own types."""
    run, manifest = trace.run, trace.snapshot
    return {
        "level": level_name(trace.level),
        "node": dict(trace.where),
        "month": str(trace.month),
        "kind": "history" if trace.mean is None else "forecast",
        "unit": run.unit,
        "value": trace.bought if trace.mean is None else trace.mean,
        "quantiles": _quantiles(trace),
        "run": run_json(run),
        "snapshot": {
            "id": manifest.id,
            "month": manifest.month,
            "taken_at": manifest.taken_at.isoformat(),
            "code_version": manifest.code_version,
            "sources": [
                {
                    "name": each.name,
                    "dialect": each.dialect,
                    "reading": each.reading,
                    "consistency": each.consistency,
                    "lines": each.kept.lines,
                    "quantity": each.kept.quantity,
                }
                for each in manifest.sources
            ],
        },
        "history": {
            "unit": manifest.unit,
            "lines": trace.lines.count,
            "quantity": trace.lines.quantity,
            "months": trace.lines.months.to_dicts(),
        },
        "lines": [
            {name: str(value) if name == "date" else value for name, value in row.items()}
            for row in trace.lines.newest.iter_rows(named=True)
        ],
    }


def _number(trace: Trace) -> str:
    keys = ", ".join(f"{name} {value}" for name, value in trace.where.items()) or "total"
    unit = trace.run.unit
    if trace.mean is None:
        return f"{escape(keys)} bought {trace.bought:,.3f} {unit} in {trace.month}"
    quantiles = ", ".join(f"{name} {value:,.1f}" for name, value in _quantiles(trace).items())
    beside = f" ({quantiles})" if quantiles else ""
    return f"{escape(keys)} will buy {trace.mean:,.3f} {unit} in {trace.month}{beside}"


def _quantiles(trace: Trace) -> dict[str, float]:
    names = [quantile_name(probability) for probability in trace.run.probabilities]
    return dict(zip(names, trace.quantiles, strict=False))


def _add_run(tree: Tree, trace: Trace) -> None:
    run = trace.run
    shown = f"shown {run.published_at:%Y-%m-%d %H:%M}" if run.published_at else "never shown"
    branch = tree.add(f"[bold]run {run.id}[/], {shown}{', shown now' if run.current else ''}")
    branch.add(f"model {escape(run.model)}: {escape(run.because)}")
    if run.recipe is not None:
        branch.add(escape(f"recipe {run.recipe.get('name')}: {_settings(run.recipe)}"))
    if run.verdict is not None and run.verdict.get("because"):
        branch.add(escape(f"verdict: {run.verdict['because']}"))
    if run.code_version is not None:
        code = branch.add(f"by Tonnage {run.code_version}")
        for name, value in (("commit", run.code_commit), ("lock file", run.code_lock)):
            code.add(f"{name} {value or 'unknown'}")
    for reason in run.refused:
        branch.add(escape(f"the guard said: {reason}"))
    if run.accepted:
        branch.add(escape(f"shown all the same: {run.accepted}"))


def _add_snapshot(tree: Tree, trace: Trace) -> None:
    manifest = trace.snapshot
    branch = tree.add(
        f"[bold]snapshot {manifest.id[:12]}[/], lines up to {manifest.month}, "
        f"taken {manifest.taken_at:%Y-%m-%d %H:%M} by Tonnage {manifest.code_version}"
    )
    for each in manifest.sources:
        source = branch.add(escape(f"source {each.name}: {each.dialect}, {each.consistency}"))
        source.add(f"read as {each.reading}")
        source.add(f"{_lines(each.kept.lines)}, {each.kept.quantity:,} {manifest.unit}")


def _add_months(tree: Tree, trace: Trace) -> None:
    manifest, lines = trace.snapshot, trace.lines
    what = "that month" if trace.mean is None else "the history it learned from"
    branch = tree.add(f"[bold]{what}[/]: {trace.bought:,.3f} {trace.run.unit} in {_lines(lines.count)}")
    months = lines.months.partition_by("month", maintain_order=True)
    if len(months) > _MOST_MONTHS:
        branch.add(f"{len(months) - _MOST_MONTHS:,} earlier months; --json has all")
    for month in months[-_MOST_MONTHS:]:
        sources = " + ".join(
            f"{row['quantity']:,} {manifest.unit} of {row['source']} ({_lines(row['lines'])})"
            for row in month.iter_rows(named=True)
        )
        total = in_unit(int(month["quantity"].sum()), manifest)
        branch.add(escape(f"{month['month'][0]}: {total:,.3f} {trace.run.unit} = {sources}"))


def _add_lines(tree: Tree, trace: Trace) -> None:
    shown, unit = trace.lines.newest, trace.snapshot.unit
    if shown.is_empty():
        return
    older = trace.lines.count - shown.height
    more = f", the newest of {trace.lines.count:,}; --lines {trace.lines.count} shows all" if older else ""
    branch = tree.add(f"[bold]order lines[/]{more}")
    for row in shown.iter_rows(named=True):
        keys = " ".join(row[key] for key in ("organization", "customer", "material"))
        branch.add(escape(f"{row['source']} {row['line']}: {row['date']} {keys} {row['quantity']:,} {unit}"))


def _settings(recipe: Mapping[str, object]) -> str:
    values = {
        name: " ".join(map(str, value)) if isinstance(value, list) else value
        for name, value in recipe.items()
        if name != "name" and value != []
    }
    return ", ".join(f"{name} {value}" for name, value in values.items())


def _lines(count: int) -> str:
    return "1 line" if count == 1 else f"{count:,} lines"

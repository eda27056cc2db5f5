"""What the command line prints about snapshots: tables for people."""

from collections.abc import Sequence

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.accounts import month_totals
from ingestion.difference import Difference
from ingestion.order_line import KEYS
from ingestion.snapshot import Manifest, Snapshot

_MOST_ROWS = 20
_ID = 12


def print_list(console: Console, manifests: Sequence[Manifest]) -> None:
    """One row per snapshot."""
    table = Table(title=f"{len(manifests):,} snapshots", title_justify="left")
    for column, right in (
        ("id", False), ("month", False), ("taken at", False), ("sources", False), ("lines", True),
        ("quantity", True), ("set aside", True), ("accepted because", False),
    ):  # fmt: skip
        table.add_column(column, justify="right" if right else "left")
    for each in manifests:
        aside = sum(tally.lines for source in each.sources for tally in source.set_aside.values())
        table.add_row(
            each.id[:_ID],
            each.month,
            f"{each.taken_at:%Y-%m-%d %H:%M}",
            escape(", ".join(source.name for source in each.sources)),
            f"{sum(source.kept.lines for source in each.sources):,}",
            f"{sum(source.kept.quantity for source in each.sources):,} {each.unit}",
            f"{aside:,}",
            escape(each.accepted or ""),
        )
    console.print(table)


def print_snapshot_whole(console: Console, snapshot: Snapshot) -> None:
    """Where a snapshot came from, its sources, its last months, its rejects, its changes."""
    manifest = snapshot.manifest
    console.print(
        f"Snapshot [bold]{manifest.id}[/]\n"
        f"month {manifest.month}, unit {manifest.unit}, taken {manifest.taken_at:%Y-%m-%d %H:%M} "
        f"by Tonnage {manifest.code_version}, after {(manifest.parent or 'nothing')[:_ID]}",
        highlight=False,
        soft_wrap=True,
    )
    if manifest.accepted:
        console.print(f"accepted beyond its limits: {manifest.accepted}", markup=False, soft_wrap=True)
    _print_sources(console, manifest)
    _print_months(console, snapshot)
    if manifest.master:
        _print_master(console, manifest)
    if manifest.changes:
        _print_changes(console, manifest)


def print_difference(console: Console, difference: Difference) -> None:
    """Months and leaves that differ."""
    unit = difference.before.manifest.unit
    title = f"{difference.before.id[:_ID]} and {difference.after.id[:_ID]}"
    if difference.months.is_empty() and difference.leaves.is_empty():
        console.print(f"{title}: the same lines count in both.")
        return
    months = Table(title=f"{title}: months that differ, in {unit}", title_justify="left")
    _columns(months, ("source", "month"), ("lines before", "lines after", "before", "after", "change"))
    for source, month, lines_before, lines_after, before, after in difference.months.iter_rows():
        months.add_row(
            source, month, *_figures(lines_before, lines_after, before, after), f"{after - before:+,}"
        )
    console.print(months)
    shown = difference.leaves.head(_MOST_ROWS)
    count = f"{difference.leaves.height:,} leaves that differ"
    more = f", the {_MOST_ROWS} largest changes" if shown.height < difference.leaves.height else ""
    leaves = Table(title=f"{count}{more}, in {unit}", title_justify="left")
    _columns(leaves, KEYS, ("before", "after", "change"))
    for *keys, before, after, change in shown.iter_rows():
        leaves.add_row(*map(escape, keys), *_figures(before, after), f"{change:+,}")
    console.print(leaves)


def _print_sources(console: Console, manifest: Manifest) -> None:
    table = Table(title="Sources", title_justify="left")
    _columns(table, ("source", "read as"), ("lines read", "kept", f"{manifest.unit} kept", "later"))
    table.add_column("set aside, by reason")
    for source in manifest.sources:
        reasons = "\n".join(
            f"{tally.lines:,} {reason} ({tally.quantity:,} {manifest.unit})"
            for reason, tally in source.set_aside.items()
        )
        figures = _figures(source.rows_in, source.kept.lines, source.kept.quantity, source.later)
        added_up = all(each.added_up for each in source.slices)
        proof = f"{manifest.unit} added up by the source" if added_up else "lines counted by the source"
        table.add_row(
            escape(source.name), f"{source.dialect}, {source.consistency}\n{proof}", *figures, reasons
        )
    console.print(table)


def _print_months(console: Console, snapshot: Snapshot) -> None:
    manifest = snapshot.manifest
    totals = {source.name: month_totals(source, snapshot.repeats) for source in manifest.sources}
    months = sorted({month for each in totals.values() for month in each if month <= manifest.month})
    shown = months[-_MOST_ROWS:]
    title = f"{len(months):,} months" + (f", the last {len(shown)}" if len(shown) < len(months) else "")
    table = Table(title=f"{title}, in {manifest.unit}", title_justify="left")
    _columns(table, ("month",), tuple(map(escape, totals)))
    for month in shown:
        cells = [f"{each[month].quantity:,}" if month in each else "-" for each in totals.values()]
        table.add_row(month, *cells)
    console.print(table)


def _print_master(console: Console, manifest: Manifest) -> None:
    table = Table(title="Master data", title_justify="left")
    _columns(
        table, ("key", "attributes"), ("rows", "contradictions", "keys unknown", f"{manifest.unit} of these")
    )
    for each in manifest.master:
        figures = _figures(each.rows, each.conflicts, each.unknown_keys, each.unknown_quantity)
        table.add_row(each.key, escape(", ".join(each.attributes)), *figures)
    console.print(table)


def _print_changes(console: Console, manifest: Manifest) -> None:
    title = f"Changed since {(manifest.parent or '')[:_ID]}, in {manifest.unit}"
    table = Table(title=title, title_justify="left")
    _columns(table, ("source", "month"), ("lines before", "lines after", "before", "after", "change"))
    for each in manifest.changes[-_MOST_ROWS:]:
        was, now = each.before, each.after
        figures = _figures(was.lines, now.lines, was.quantity, now.quantity)
        table.add_row(escape(each.source), each.month, *figures, f"{now.quantity - was.quantity:+,}")
    console.print(table)


def _columns(table: Table, left: Sequence[str], right: Sequence[str]) -> None:
    for column in left:
        table.add_column(column)
    for column in right:
        table.add_column(column, justify="right")


def _figures(*values: int) -> tuple[str, ...]:
    return tuple(f"{value:,}" for value in values)

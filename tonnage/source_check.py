"""`tonnage ingest --check`: connect, read ten lines of each source, explain them, write nothing."""

from collections.abc import Mapping

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingestion.clean import read_lines
from ingestion.job import Order
from ingestion.master_data import MasterData, gather
from ingestion.order_line import FIELDS, KEYS
from ingestion.raw_lines import RawLines
from ingestion.source_config import SourceConfig
from ingestion.sources.source import open_source, read_table
from ingestion.units import DemandUnit

_ROWS = 10
_EXAMPLES = 3
_WIDTH = 32


def check_sources(console: Console, order: Order) -> None:
    """Print how each source is understood; raises what reading it would raise."""
    master = gather([(config, read_table(config)) for config in order.master])
    for config in order.sources:
        with open_source(config).view() as view:
            columns, sample = view.columns, view.sample(_ROWS)
            known, consistency = view.config, view.consistency
        console.print(
            f"Source [bold]{escape(config.name)}[/]: {config.dialect} at {escape(config.address)}, "
            f"read as {consistency}",
            highlight=False,
            soft_wrap=True,
        )
        _print_mapping(console, known, columns, sample)
        _print_lines(console, known, order.demand, master, sample)
    console.print("Nothing was written.")


def _print_mapping(
    console: Console, config: SourceConfig, columns: Mapping[str, str], sample: RawLines
) -> None:
    table = Table(title="What each field is read from", title_justify="left")
    for heading in ("field", "column", "type", "examples"):
        table.add_column(heading)
    written = sample.table
    for field in FIELDS:
        column = config.columns.get(field)
        if column is not None:
            examples = written[field].drop_nulls().unique(maintain_order=True).head(_EXAMPLES)
            table.add_row(
                field,
                escape(column),
                escape(columns[column]),
                ", ".join(map(_short, examples)) or "always empty",
            )
        elif field == "unit":
            table.add_row(field, "-", "constant", str(config.constant_unit))
        else:
            table.add_row(field, "-", "not mapped", "no line is cancelled")
    unused = [name for name in columns if name not in config.columns.values()]
    console.print(table)
    if unused:
        console.print(f"not used: {', '.join(unused)}", markup=False, highlight=False, soft_wrap=True)


def _print_lines(
    console: Console, config: SourceConfig, demand: DemandUnit, master: MasterData, sample: RawLines
) -> None:
    read = read_lines(sample, config, demand, master.weights)
    title = f"{sample.lines.height} lines, as they would be read, in {demand.stored}"
    table = Table(title=title, title_justify="left")
    for heading in ("line", *KEYS, "date"):
        table.add_column(heading)
    table.add_column("quantity", justify="right")
    table.add_column("set aside because")
    for line, *keys, date, quantity in read.lines.select("line", *KEYS, "date", "quantity").iter_rows():
        table.add_row(_short(line), *map(_short, keys), str(date), f"{quantity:,}", "")
    for reason, line, field, value in read.rejects.select("reason", "line", "field", "value").iter_rows():
        table.add_row(_short(line), "", "", "", "", "", f"{reason}: {field} = {_short(value)}")
    console.print(table)


def _short(value: str | None) -> str:
    text = "empty" if value is None else value
    return escape(text if len(text) <= _WIDTH else text[: _WIDTH - 1] + "…")

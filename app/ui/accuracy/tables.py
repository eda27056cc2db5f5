"""Accuracy by level, by lead, by class and by month, as the API tells it."""

from collections.abc import Sequence

from dash import html
from dash.development.base_component import Component

from app.api.accuracy_schemas import AccuracyRow
from app.ui import written
from app.ui.accuracy.asked import MONTHS, Scope, rows, scope_of
from app.ui.drawn import bar
from app.ui.node_links import level_words
from app.ui.parts import Asked, Part, address, sight
from app.ui.states import empty
from app.ui.tables import Cell, Column, choices, digits_for, number, numbers, share, signed_share, table
from forecasting.hierarchy import level_name, parse_level
from forecasting.months import Month

_PATH = "/accuracy"
_QUESTION = "GET /v1/accuracy"


def _nothing() -> Component:
    return empty(
        "No month of these has been held against its forecast.", "Ask for more months, or another lead."
    )


def _measures(unit: str) -> list[Column]:
    return [
        Column("WAPE", "number"),
        Column("", "drawn"),
        *numbers("Bias", "Coverage", "Value added", "MASE", f"Demand, {unit}", "Cells"),
    ]


def _cells(row: AccuracyRow, most: float, digits: int) -> list[Cell]:
    return [
        share(row.wape),
        bar(row.wape, most, _naive(row)),
        signed_share(row.bias),
        share(row.coverage_p10_p90),
        signed_share(row.value_added_seasonal),
        number(row.mase, 2),
        number(row.demand, digits),
        number(row.cells),
    ]


def _naive(row: AccuracyRow) -> float | None:
    """The seasonal naive's WAPE, where it is known of the same cells."""
    if row.wape is None or row.value_added_seasonal is None:
        return None
    return row.wape + row.value_added_seasonal


def _most(told: Sequence[AccuracyRow]) -> float:
    known = [each for row in told for each in (row.wape, _naive(row)) if each is not None]
    return max(known, default=0.0)


def _show_filters(asked: Asked) -> Component:
    with sight() as connection:
        scope = scope_of(connection, asked)
    levels = [
        (level_words(name), address(_PATH, asked, level=name), level == scope.level)
        for level in scope.run.levels
        for name in [level_name(level)]
    ]
    leads = [
        (str(lead), address(_PATH, asked, lead=str(lead)), lead == scope.lead)
        for lead in range(1, scope.run.horizon + 1)
    ]
    months = [(str(each), address(_PATH, asked, months=str(each)), each == scope.months) for each in MONTHS]
    return html.Div(
        [
            choices("Level", "level", levels),
            choices("Months ahead", "lead", leads),
            choices("Last months", "months", months),
        ],
        className="filters",
    )


def _show_levels(asked: Asked) -> Component:
    with sight() as connection:
        scope = scope_of(connection, asked)
        told = rows(connection, scope, "level", lead=str(scope.lead))
    if not told:
        return _nothing()
    known = {frozenset(level): level for level in scope.run.levels}

    def named(row: AccuracyRow) -> Cell:
        words = level_words(row.level)
        level = known.get(frozenset(parse_level(row.level)))
        href = None if level is None else address(_PATH, asked, level=level_name(level))
        return words if href is None else html.A(words, href=href)

    return html.Div([_about(scope), _table(scope, "Level", told, [named(row) for row in told])])


def _about(scope: Scope) -> Component:
    return html.P(
        [
            f"Forecasts {_ahead(scope.lead)}, of months from ", written.month(scope.first), " to ",
            written.month(scope.run.origin), ", each by the newest snapshot. Mark: the seasonal naive’s ",
            "WAPE; value added is by how much ours is below it. Coverage is of the 80 % band.",
        ],
        className="note",
    )  # fmt: skip


def _ahead(lead: int) -> str:
    return "a month ahead" if lead == 1 else f"{lead} months ahead"


def _table(scope: Scope, head: str, told: Sequence[AccuracyRow], names: Sequence[Cell]) -> Component:
    digits = digits_for(max(row.demand for row in told))
    most = _most(told)
    body = [[name, *_cells(row, most, digits)] for name, row in zip(names, told, strict=True)]
    return table(
        f"Accuracy by {head.lower()}", [Column(head), *_measures(written.unit_words(scope.run.unit))], body
    )


def _show_leads(asked: Asked) -> Component:
    with sight() as connection:
        scope = scope_of(connection, asked)
        told = rows(connection, scope, "lead", level=scope.level_text)
    if not told:
        return _nothing()
    names: list[Cell] = [
        html.A(_ahead(row.lead or 0).capitalize(), href=address(_PATH, asked, lead=str(row.lead)))
        for row in told
    ]
    return html.Div([_of(scope), _table(scope, "Months ahead", told, names)])


def _of(scope: Scope) -> Component:
    return html.P(f"Of the level {level_words(scope.level_text)}.", className="note")


def _show_classes(asked: Asked) -> Component:
    with sight() as connection:
        scope = scope_of(connection, asked)
        told = rows(connection, scope, "demand_class,abc", level=scope.level_text, lead=str(scope.lead))
    if not told:
        return _nothing()
    names: list[Cell] = [f"{row.abc} · {row.demand_class}" for row in told]
    return html.Div([_of(scope), _table(scope, "Class", told, names)])


def _show_months(asked: Asked) -> Component:
    """What was said and what came, by month; what was said is what came and the error."""
    with sight() as connection:
        scope = scope_of(connection, asked)
        told = rows(connection, scope, "month", level=scope.level_text, lead=str(scope.lead))
    if not told:
        return _nothing()
    most = max(each for row in told for each in (row.demand, row.demand + row.error))
    digits = digits_for(most)
    unit = written.unit_words(scope.run.unit)
    columns = [Column("Month"), *numbers(f"Came, {unit}", "Error"), Column("", "drawn"),
               *numbers("WAPE", "Bias", "Coverage")]  # fmt: skip
    body = [
        [
            written.month(Month.parse(row.month or "")),
            number(row.demand, digits),
            number(row.error, digits, "signed"),
            bar(row.demand, most, row.demand + row.error),
            share(row.wape),
            signed_share(row.bias),
            share(row.coverage_p10_p90),
        ]
        for row in told
    ]
    note = html.P(f"Bar: what came; mark: what had been said {_ahead(scope.lead)}.", className="note")
    return html.Div([note, table("Forecast against what came, by month", columns, body)])


FILTERS = Part("accuracy-filters", "What to look at", _QUESTION, _show_filters)
LEVELS = Part("accuracy-levels", "By level", _QUESTION, _show_levels)
LEADS = Part("accuracy-leads", "By months ahead", _QUESTION, _show_leads)
CLASSES = Part("accuracy-classes", "By class of demand", _QUESTION, _show_classes)
MONTHS_PART = Part("accuracy-months", "Forecast against what came", _QUESTION, _show_months)

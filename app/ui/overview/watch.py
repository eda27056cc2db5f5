"""How good the last months were, and where the world has moved."""

from dash import html
from dash.development.base_component import Component

from app.api.accuracy import AccuracyQuery, get_accuracy
from app.api.accuracy_schemas import AccuracyRow
from app.api.drift import DriftQuery, Event, get_drift
from app.api.sight import CURRENT, find_run
from app.ui import asking, written
from app.ui.drawn import bar
from app.ui.node_links import level_words
from app.ui.parts import Asked, Part, sight
from app.ui.states import empty
from app.ui.tables import Column, badge, share, signed_share, table
from forecasting.hierarchy import TOTAL, level_name
from forecasting.months import Month

_MONTHS = 6


def _show_accuracy(_: Asked) -> Component:
    """A month ahead: at the top, and at the finest level, where purchases are made."""
    with sight() as connection:
        run = find_run(connection, asking.caller(), CURRENT)
        finest = level_name(run.levels[-1])
        query = {"by": "month", "lead": "1", "from": str(run.origin - (_MONTHS - 1)), "to": str(run.origin)}
        by_level = {
            level: get_accuracy(connection, AccuracyQuery.model_validate(query | {"level": level})).rows
            for level in (TOTAL, finest)
        }
    if not any(by_level.values()):
        return empty("No month has been held against its forecast yet.", "The next run tells of the first.")
    return html.Div(
        [
            html.P(
                [
                    "A month ahead, as published. Coverage is of the 80 % band. ",
                    html.A("All levels and leads", href="/accuracy"),
                ],
                className="note",
            ),
            _months({str(row.month): row for row in by_level[TOTAL]},
                    {str(row.month): row for row in by_level[finest]}, finest),
        ]
    )  # fmt: skip


def _months(total: dict[str, AccuracyRow], fine: dict[str, AccuracyRow], finest: str) -> Component:
    months = sorted({*total, *fine}, reverse=True)
    most = max((row.wape or 0.0 for row in fine.values()), default=0.0)
    columns = [Column("Month"), Column("Total WAPE", "number"), Column("Bias", "number"),
               Column("Finest WAPE", "number"), Column("", "drawn"), Column("Bias", "number"),
               Column("Coverage", "number")]  # fmt: skip
    rows = []
    for month in months:
        top, low = total.get(month), fine.get(month)
        wape = None if low is None else low.wape
        rows.append(
            [
                written.month(Month.parse(month)),
                share(None if top is None else top.wape),
                signed_share(None if top is None else top.bias),
                share(wape),
                bar(wape, most),
                signed_share(None if low is None else low.bias),
                share(None if low is None else low.coverage_p10_p90),
            ]
        )
    return table(f"Accuracy by month, of the total and by {level_words(finest)}", columns, rows)


def _show_drift(_: Asked) -> Component:
    with sight() as connection:
        found = get_drift(connection, DriftQuery(status="open", limit=20))
    if not found.events:
        return html.P("No open events: demand and errors are what they usually are.", className="quiet-line")
    more = [html.P("There are more; GET /v1/drift tells of all.", className="note")] if found.more else []
    return html.Div([html.Ul([_event(each) for each in found.events], className="events"), *more])


def _event(event: Event) -> Component:
    kind = "demand itself" if event.kind == "data" else "forecast errors"
    decision = badge("retrains", "warn") if event.decision == "retrain" else badge("notified")
    words = str(event.evidence.get("words") or "")
    return html.Li(
        [
            html.Div(
                [
                    html.Strong(event.scope),
                    f" {kind} since ",
                    written.month(Month.parse(event.opened)),
                    decision,
                ]
            ),
            html.P(words, className="note"),
        ]
    )


ACCURACY = Part("overview-accuracy", "Accuracy of the last months", "GET /v1/accuracy", _show_accuracy)
DRIFT = Part("overview-drift", "Open drift events", "GET /v1/drift", _show_drift)

"""The models that made a run: which forecasts each level, what it lost, and where MLflow keeps it."""

from urllib.parse import quote

from dash import html
from dash.development.base_component import Component

from app.api.models import Models, models
from app.api.run_schemas import RegisteredModel
from app.api.sight import find_run
from app.ui import asking, written
from app.ui.drawn import bar
from app.ui.node_links import level_words
from app.ui.parts import Asked, Part, sight
from app.ui.runs.asked import read
from app.ui.tables import Cell, Column, facts, missing, number, share, table
from forecasting.months import Month

_MEASURES = {
    "pinball": "twice the pinball loss, as a share of demand",
    "absolute": "absolute error of the median, as a share of demand",
}


def _show(asked: Asked) -> Component:
    with sight() as connection:
        told = models(find_run(connection, asking.caller(), read(asked).run))
    recipe = missing() if told.recipe is None else str(told.recipe.get("name", "–"))
    line = facts(
        ("Run", html.Code(told.run.id)),
        ("Recipe", recipe),
        ("Bundle", _registered(told.bundle)),
        *([("Measure", _MEASURES[told.measure])] if told.measure else []),
        *([("Tried from", _origins(told))] if told.origins else []),
    )
    return html.Div([line, _levels(told)])


def _origins(told: Models) -> Component:
    first, last = Month.parse(told.origins[0]), Month.parse(told.origins[-1])
    named = written.month(first) if first == last else written.months_from_to(first, last)
    return html.Span([number(len(told.origins)), " months: ", named])


def _levels(told: Models) -> Component:
    leads = max((len(each.loss_by_lead or ()) for each in told.levels), default=0)
    most = max((each.loss or 0.0 for each in told.levels), default=0.0)
    ahead = [Column(f"+{lead}", "number") for lead in range(1, leads + 1)]
    columns = [Column("Level"), Column("Model"), Column("Loss", "number"), Column("", "drawn"), *ahead]
    rows = [
        [
            level_words(each.level),
            _registered(each.registered),
            share(each.loss),
            bar(each.loss, most),
            *_padded([share(loss) for loss in each.loss_by_lead or ()], leads),
        ]
        for each in told.levels
    ]
    return table("Models by level, with their loss by months ahead", columns, rows)


def _padded(cells: list[Cell], width: int) -> list[Cell]:
    return cells + [missing() for _ in range(width - len(cells))]


def _registered(model: RegisteredModel | None) -> Component:
    """Its name and version, as a link where MLflow is served."""
    if model is None:
        return missing()
    words = f"{model.name} {model.version}"
    base = asking.request().app.state.surroundings.models_at
    if base is None:
        return html.Code(words)
    href = f"{base}/#/models/{quote(model.name, safe='')}/versions/{quote(model.version, safe='')}"
    return html.A(html.Code(words), href=href, target="_blank", rel="noreferrer")


PART = Part("runs-models", "Models", "GET /v1/models", _show)

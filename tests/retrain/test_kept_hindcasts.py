"""What a champion said in a contest stands in for runs that were never published."""

import numpy as np

from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.contest import fit_and_forecast, hold_contest, yardstick
from retrain.drift import error_drift
from retrain.kept_hindcasts import KeptHindcasts
from retrain.pooled_errors import LEADS
from retrain.recipes import shipped_recipes
from retrain.scorecard import what_came


def test_only_the_champion_and_only_what_is_watched(tiny_panel: DemandPanel) -> None:
    champion = shipped_recipes().pick("theta")
    levels = ((), ("organization",))
    kept = KeptHindcasts(champion, tiny_panel.hierarchy, levels, fit_and_forecast)
    origins = [Month(2025, 9), Month(2025, 10)]
    contest = hold_contest([champion], tiny_panel, 4, origins, (0.1, 0.5, 0.9), forecast=kept)
    assert {each.recipe for each in contest.entries} == {champion, yardstick()}
    assert [each.origin for each in kept.hindcasts] == origins
    (first, _) = kept.hindcasts
    assert first.months == (Month(2025, 10), Month(2025, 11), Month(2025, 12))
    forecast = fit_and_forecast(champion, tiny_panel.until(origins[0]), 4, (0.1, 0.5, 0.9))
    assert (first.said[()].mean[0] == forecast.mean[0, :LEADS]).all()
    assert (first.said[()].quantiles[:, 0] == forecast.quantiles[:, 0, :LEADS]).all()
    # No customers here: the leaves tell who bought, and materials need not be read.
    assert set(first.said) == {*levels, ("organization", "material")}
    watched = error_drift(what_came(tiny_panel), kept.hindcasts, levels, share=0.05, caution=1.0, unit="t")
    assert watched.scopes == ("total", "organization NORD", "organization WEST")
    assert np.isfinite(first.said[()].mean).all()

import logging
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
from prophet import Prophet
from statsmodels.tsa.exponential_smoothing.ets import ETSModel

from forecasting.models.in_workers import PROPHET, STATSMODELS, InWorkers
from forecasting.models.protocol import SeriesBatch
from forecasting.models.smoothing import Smoothing
from forecasting.months import Month

HANG, RAISE, NAN, DIE, RUN_AWAY = -1.0, -2.0, -3.0, -4.0, -5.0


@pytest.fixture
def misbehaving(monkeypatch: pytest.MonkeyPatch) -> str:
    """The module beside this one, where workers find it too."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    return "misbehaving"


@pytest.fixture
def quiet_logs() -> Iterator[None]:
    """Prophet in the test's own process, as silent as in a worker."""
    names = ("prophet", "prophet.plot", "cmdstanpy")
    before = [logging.getLogger(name).disabled for name in names]
    for name in names:
        logging.getLogger(name).disabled = True
    yield
    for name, disabled in zip(names, before, strict=True):
        logging.getLogger(name).disabled = disabled


def steel(months: int = 40) -> SeriesBatch:
    """Three series: a season with a trend, one that is born late, and one of nothing."""
    rng = np.random.default_rng(3)
    month = np.arange(months)
    full = 200 + month + 40 * np.sin(2 * np.pi * month / 12) + rng.normal(0, 5, months)
    late = np.where(month >= months - 14, full, 0.0)
    return SeriesBatch(Month(2022, 5), np.array([full, late, 0 * full]), np.array([0, months - 14, 0]))


def test_each_failure_has_its_label_and_the_rest_go_on(misbehaving: str) -> None:
    first = np.array([5.0, HANG, RAISE, 6.0, NAN, DIE, RUN_AWAY, 7.0, 8.0])
    values = np.full((9, 15), 10.0)
    values[:, 0] = first
    history = SeriesBatch(Month(2024, 1), values, np.zeros(9, dtype=np.int64))
    answer = InWorkers(misbehaving, seconds=1.5).labelled_hindcast(history, 0, 4)
    assert answer.fallback == (
        "",
        "misbehaving took longer than 1.5 s: smoothing",
        "misbehaving failed: no fit from 2024-01: smoothing",
        "",
        "misbehaving failed: its forecast is not a number: smoothing",
        "misbehaving failed: its process died: smoothing",
        "misbehaving failed: its forecast ran away: smoothing",
        "",
        "",
    )
    fell = np.array([label != "" for label in answer.fallback])
    np.testing.assert_array_equal(answer.forecasts[fell], Smoothing().hindcast(history, 0, 4)[fell])
    assert (answer.forecasts[~fell] == 25).all()


def test_workers_say_nothing(capfd: pytest.CaptureFixture[str], odd_series: SeriesBatch) -> None:
    history = SeriesBatch(odd_series.first, odd_series.values[[2, 5]], odd_series.born[[2, 5]])
    for module in (STATSMODELS, PROPHET):
        assert InWorkers(module, seconds=60, workers=1).labelled_hindcast(history, 0, 3).fallback == ("", "")
    assert capfd.readouterr() == ("", "")


def test_only_every_twelfth_origin_is_visited(misbehaving: str) -> None:
    history = steel()
    answer = InWorkers(misbehaving, workers=1).labelled_hindcast(history, 27, 2)
    visited = [3, 15, 27]
    between = np.setdiff1d(np.arange(28), visited)
    assert np.isnan(answer.forecasts[:, between]).all()
    full, late = history.values[0], history.values[1]
    for origin in visited:
        known = 40 - 27 + origin
        assert (answer.forecasts[0, origin] == full[known - 1] + known).all()
    # The late series was fitted where it had been born, from its own months only.
    assert (answer.forecasts[1, 27] == late[-1] + 14).all()
    assert (answer.forecasts[1, 15] == late[27] + 2).all()
    assert np.isfinite(answer.forecasts[:, visited]).all()
    assert answer.fallback[:2] == ("", "")


def test_a_library_that_is_missing_is_named_for_every_series() -> None:
    answer = InWorkers("forecasting.models.no_such_library").labelled_hindcast(steel(), 12, 3)
    reason = "no_such_library failed: No module named 'forecasting.models.no_such_library': smoothing"
    assert answer.fallback == (reason,) * 3
    np.testing.assert_array_equal(answer.forecasts[:, -1], Smoothing().hindcast(steel(), 12, 3)[:, -1])


def test_statsmodels_forecasts_as_when_called_directly() -> None:
    history = steel()
    answer = InWorkers(STATSMODELS, seconds=60).labelled_hindcast(history, 12, 6)
    assert answer.fallback[:2] == ("", "")
    assert np.isfinite(answer.forecasts[:, [0, 12]]).all()
    for back, origin in ((0, 12), (12, 0)):
        known = history.values[0, : 40 - back]
        scale = known.mean()
        model = ETSModel(known / scale, trend="add", damped_trend=True, seasonal="add", seasonal_periods=12)
        np.testing.assert_allclose(
            answer.forecasts[0, origin], scale * model.fit(disp=False).forecast(6), rtol=1e-9
        )
    young = history.values[1, 26:]
    level_only = ETSModel(young / young.mean(), trend="add", damped_trend=True).fit(disp=False)
    np.testing.assert_allclose(answer.forecasts[1, -1], young.mean() * level_only.forecast(6), rtol=1e-9)
    np.testing.assert_array_equal(answer.forecasts[2, -1], 0)


def test_odd_series_have_a_number_or_a_reason(odd_series: SeriesBatch) -> None:
    answer = InWorkers(STATSMODELS, seconds=60).labelled_hindcast(odd_series, 0, 12)
    assert np.isfinite(answer.forecasts).all()
    assert answer.fallback[6] == "statsmodels needs 2 months: smoothing"


@pytest.mark.usefixtures("quiet_logs")
@pytest.mark.filterwarnings("ignore:The 'generic' unit:DeprecationWarning")
def test_prophet_forecasts_as_when_called_directly() -> None:
    whole = steel()
    history = SeriesBatch(whole.first, whole.values[:1], whole.born[:1])
    answer = InWorkers(PROPHET, seconds=60, workers=1).labelled_hindcast(history, 0, 6)
    assert answer.fallback == ("",)
    days = pd.date_range("2022-05-01", periods=46, freq="MS")
    model = Prophet(
        yearly_seasonality=True, weekly_seasonality=False, daily_seasonality=False, uncertainty_samples=0
    )
    model.fit(pd.DataFrame({"ds": days[:40], "y": history.values[0]}), seed=1)
    theirs = model.predict(pd.DataFrame({"ds": days[40:]}))["yhat"]
    np.testing.assert_allclose(answer.forecasts[0, -1], theirs, rtol=1e-6)


def test_who_waits_for_slow_models_does_not_import_them() -> None:
    code = (
        "import sys, forecasting.models.in_workers; "
        "print({'statsmodels', 'prophet', 'pandas', 'cmdstanpy'} & set(sys.modules))"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert told.stdout == "set()\n"


def test_a_script_needs_no_main_guard(tmp_path: Path) -> None:
    script = """
import numpy as np
from forecasting.models.in_workers import STATSMODELS, InWorkers
from forecasting.models.protocol import SeriesBatch
from forecasting.months import Month

history = SeriesBatch(Month(2024, 1), np.arange(1.0, 31.0)[None], np.array([0]))
print(InWorkers(STATSMODELS, seconds=60).labelled_hindcast(history, 0, 2).fallback)
"""
    (tmp_path / "script.py").write_text(script)
    # Nor does a module beside it that is called like one of a library stand in the way.
    (tmp_path / "scipy.py").write_text("raise SystemExit('the wrong scipy')")
    for arguments, text in ((["-P", "script.py"], ""), (["-P", "-"], script)):
        told = subprocess.run(
            [sys.executable, *arguments],
            cwd=tmp_path,
            input=text,
            capture_output=True,
            text=True,
            check=False,
        )
        assert (told.stdout, told.stderr) == ("('',)\n", "")

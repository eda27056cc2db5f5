"""Where the model registry is found, and that nobody pays for it who does not need it."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy as sa

from app.store.engine import open_engine
from forecasting.months import Month
from retrain.errors import RegistryUnavailable
from tonnage.errors import BadTracking
from tonnage.settings import Settings
from tonnage.tracking import find_tracking, models_at, open_tracking


@pytest.fixture
def engine(new_database: Callable[[], str]) -> sa.Engine:
    return open_engine(new_database())


def settings(home: Path, monkeypatch: pytest.MonkeyPatch, url: str | None) -> Settings:
    monkeypatch.setenv("TONNAGE_HOME", str(home))
    monkeypatch.delenv("TONNAGE_MLFLOW_URL", raising=False)
    if url is not None:
        monkeypatch.setenv("TONNAGE_MLFLOW_URL", url)
    return Settings()


@pytest.mark.parametrize(
    ("url", "leads_to", "shown"),
    [
        ("http://u:hidden@ml:5000", "http://u:hidden@ml:5000", "http://u:***@ml:5000"),
        ("https://ml/base", "https://ml/base", "https://ml/base"),
        (
            "postgresql://u:hidden@h/ml",
            "postgresql+psycopg2://u:hidden@h/ml",
            "postgresql+psycopg2://u:***@h/ml",
        ),
    ],
)
def test_a_url_that_is_named(
    url: str, leads_to: str, shown: str, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    tracking = find_tracking(settings(tmp_path, monkeypatch, url), engine)
    assert (tracking.url, tracking.shown) == (leads_to, shown)
    assert tracking.artifacts == (None if url.startswith("http") else tmp_path / "mlflow")
    assert "hidden" not in repr(tracking)


@pytest.mark.parametrize("url", ["sqlite:///mlflow.db", "mlruns", "mysql://u:hidden@h/x"])
def test_other_places_are_refused(
    url: str, engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(BadTracking, match="write the URL of an MLflow server") as told:
        find_tracking(settings(tmp_path, monkeypatch, url), engine)
    assert "hidden" not in str(told.value)


def test_without_a_url_it_is_a_schema_beside_the_forecasts(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    for _ in range(2):
        tracking = find_tracking(settings(tmp_path / "home", monkeypatch, None), engine)
        assert open_tracking(tracking, engine).champion(Month(2026, 10)) is None
    inspected = sa.inspect(engine)
    assert "registered_models" in inspected.get_table_names("mlflow")
    assert inspected.get_table_names("public") == []
    assert list(tmp_path.iterdir()) == []


def test_who_may_not_make_the_schema_is_told(
    engine: sa.Engine, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with engine.begin() as connection:
        connection.exec_driver_sql("create role weak login")
    weak = open_engine(engine.url.set(username="weak").render_as_string(hide_password=False))
    try:
        with pytest.raises(RegistryUnavailable, match="permission denied for database"):
            find_tracking(settings(tmp_path, monkeypatch, None), weak)
        with engine.begin() as connection:
            connection.exec_driver_sql("create schema mlflow")
        tracking = find_tracking(settings(tmp_path, monkeypatch, None), weak)
        with pytest.raises(RegistryUnavailable, match="no schema has been selected"):
            open_tracking(tracking, weak)
    finally:
        weak.dispose()
        with engine.begin() as connection:
            connection.exec_driver_sql("drop role weak")


@pytest.mark.parametrize("argument", ["--help", "serve --help", "export --help", "retrain --help"])
def test_mlflow_is_not_imported_for(argument: str) -> None:
    code = f"""
import sys
from tonnage.cli import main
import tonnage.wiring, tonnage.server, tonnage.export
main({argument.split()!r})
print(*sorted({{name.split(".")[0] for name in sys.modules}}))
"""
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert "mlflow" not in told.stdout.splitlines()[-1].split()


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        (None, None),
        ("postgresql://u:hidden@h/ml", None),
        ("javascript:alert(1)//https://ml", None),
        ("https://[ml", None),
        ("https:///models", None),
        ("https://ml/base/", "https://ml/base"),
        ("http://u:hidden@ml:5000?token=hidden#hidden", "http://ml:5000"),
    ],
)
def test_where_people_look_at_models(
    url: str | None, shown: str | None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert models_at(settings(tmp_path, monkeypatch, url)) == shown

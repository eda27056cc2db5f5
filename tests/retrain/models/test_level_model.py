"""The model of a level by itself: the published numbers and nothing else, read by any MLflow client."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import mlflow.pyfunc
import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # it ships no types
import pytest

from forecasting.hierarchy import Level
from retrain.level_files import columns_of, nodes_of, numbers_of, write_level
from retrain.level_model import LevelModel, _load_pyfunc
from retrain.registry import Candidate

MODEL = LevelModel(
    ["organization", "material"],
    [["NORD", "COIL"], ["NORD", "PLATE"], ["WEST", "COIL"]],
    ["2026-11", "2026-12"],
    ["mean", "p50"],
    np.array([[[1.0, 2.0], [3.0, 4.0], [5.0, 6.0]], [[0.1, 0.2], [0.3, 0.4], [0.5, 0.6]]]),
)


def ask(**columns: list[str | None]) -> list[tuple[Any, ...]]:
    return list(MODEL.predict(pd.DataFrame(columns)).itertuples(index=False, name=None))


def test_each_row_is_answered_in_its_order_and_as_far_as_it_says() -> None:
    assert ask(organization=["WEST", "NORD"], material=["COIL", "PLATE"], month=["2026-12", "2026-11"]) == [
        ("WEST", "COIL", "2026-12", 6.0, 0.6),
        ("NORD", "PLATE", "2026-11", 3.0, 0.3),
    ]
    assert ask(material=["PLATE"]) == [
        ("NORD", "PLATE", "2026-11", 3.0, 0.3),
        ("NORD", "PLATE", "2026-12", 4.0, 0.4),
    ]
    assert ask(organization=["NORD", None], material=["COIL", "COIL"], month=["2026-11", "2026-12"]) == [
        ("NORD", "COIL", "2026-11", 1.0, 0.1),
        ("NORD", "COIL", "2026-12", 2.0, 0.2),
        ("WEST", "COIL", "2026-12", 6.0, 0.6),
    ]
    assert len(ask(month=["2026-11"])) == 3
    assert len(ask(month=["2026-11", "2026-11"])) == 6


def test_no_rows_ask_for_everything() -> None:
    for nothing in (pd.DataFrame(), pd.DataFrame(columns=["organization", "month"])):
        everything = MODEL.predict(nothing)
        assert everything["mean"].tolist() == [1.0, 2.0, 3.0, 4.0, 5.0, 6.0]
        assert everything["month"].tolist() == ["2026-11", "2026-12"] * 3


@pytest.mark.parametrize(
    ("asked", "problem"),
    [
        ({"organization": ["NORD", "OST"]}, "no forecast for organization = 'OST'$"),
        ({"organization": ["WEST"], "material": ["PLATE"]}, "organization = 'WEST', material = 'PLATE'"),
        ({"month": ["2027-01"]}, r"month = '2027-01' \(there are 2026-11 to 2026-12\)"),
        ({"customer": ["K-1"]}, "there are organization, material, month"),
        ({"material": [f"M{n}" for n in range(7)]}, "'M0'; .*'M4' and 2 more"),
    ],
)
def test_what_there_is_no_forecast_for_is_named(asked: dict[str, list[str]], problem: str) -> None:
    with pytest.raises(ValueError, match=problem):
        MODEL.predict(pd.DataFrame(asked))


def test_files_hold_every_number_of_the_run(make: Callable[..., Candidate], tmp_path: Path) -> None:
    forecast = make().run.forecast
    levels: tuple[Level, ...] = forecast.hierarchy.levels
    for level in levels:
        write_level(forecast, level, tmp_path)
        answered = _load_pyfunc(str(tmp_path)).predict(pd.DataFrame())
        assert answered.columns.tolist() == [*level, "month", *columns_of(forecast)]
        numbers = numbers_of(forecast, level)
        assert np.array_equal(answered[columns_of(forecast)].T, numbers.reshape(len(numbers), -1))
        if level:
            assert answered[list(level)].drop_duplicates().to_numpy().tolist() == [
                list(row) for row in nodes_of(forecast, level).iter_rows()
            ]


# Nothing of ours, nor what ours needs: what is imported anyway fails.
ALONE = """
import sys
for name in "app forecasting ingestion retrain tonnage polars scipy pyarrow cloudpickle mlflow".split():
    sys.modules[name] = None
sys.path.insert(0, {code!r})
import pandas
print({module}._load_pyfunc({data!r}).predict(pandas.DataFrame({{"month": ["2026-11"]}})).to_json())
"""


def test_its_code_needs_numpy_and_pandas_alone(make: Callable[..., Candidate], tmp_path: Path) -> None:
    source = Path(__file__).parents[3] / "retrain" / "level_model.py"
    (tmp_path / "alone.py").write_text(source.read_text())
    write_level(make().run.forecast, ("organization",), tmp_path)
    code = ALONE.format(code=str(tmp_path), module="__import__('alone')", data=str(tmp_path))
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert '"NORD"' in told.stdout


def test_mlflow_is_given_no_pickle(tracked: Any, make: Callable[..., Candidate]) -> None:
    tracked.registry().record(make())
    kept = [path for path in tracked.artifacts.rglob("*") if path.is_file()]
    assert {path.suffix for path in kept} <= {".py", ".npy", ".json", ".yaml", ".txt", ".svg", ".md", ""}
    assert {path.name for path in kept if not path.suffix} == {"MLmodel"}
    for folder in {path.parent for path in kept if path.name == "MLmodel"}:
        requirements = (folder / "requirements.txt").read_text().splitlines()
        assert [each.partition("==")[0] for each in requirements] == ["mlflow-skinny", "numpy", "pandas"]
        model = mlflow.pyfunc.load_model(str(folder))
        assert model.metadata.signature is not None
        assert len(model.predict(model.input_example)) == 1

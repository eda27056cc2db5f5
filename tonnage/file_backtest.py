"""From a history file to a backtest: a table, its JSON and a page."""

import json
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import polars as pl

from forecasting.backtest import Forecaster, backtest, origins
from forecasting.backtest_report import BacktestReport
from forecasting.forecast import check_probabilities
from forecasting.hierarchy import Level, level_name
from tonnage.backtest_page import PageTitle, backtest_page
from tonnage.errors import BadOutput
from tonnage.forecast_file import check_output, write_whole
from tonnage.history_file import HistoryColumns, read_sound_history

ENDINGS = (".csv", ".json", ".html")


@dataclass(frozen=True)
class FileBacktest:
    """What to backtest: a file, how to read it, from which origins, and the recipe's name."""

    history: Path
    columns: HistoryColumns
    levels: tuple[Level, ...]
    origins: int
    step: int
    horizon: int
    probabilities: tuple[float, ...]
    recipe: str


@dataclass(frozen=True, eq=False)
class FinishedBacktest:
    """What was found, and where it was written."""

    report: BacktestReport
    written: tuple[Path, ...]
    empty_quantities: int
    seconds: float


def backtest_file(
    question: FileBacktest, forecaster: Forecaster, output: Path | None, on_stage: Callable[[str], None]
) -> FinishedBacktest:
    """Backtest a forecaster on a file and write the answer: one file by its ending, or all in a folder."""
    started = time.perf_counter()
    targets = () if output is None else _targets(output)
    check_probabilities(question.probabilities)
    on_stage("read")
    history, broken = read_sound_history(question.history, question.columns, question.levels)
    report = backtest(
        history.panel,
        forecaster,
        origins(history.panel, question.origins, question.step, question.horizon),
        question.horizon,
        question.probabilities,
        levels=question.levels,
        on_origin=lambda origin: on_stage(f"from {origin}"),
    )
    report = replace(report, left_out=pl.concat([broken, report.left_out]))
    on_stage("write")
    for target in targets:
        text = _text(question, report, target.suffix.lower())
        target.parent.mkdir(exist_ok=True)
        write_whole(target, lambda path, text=text: path.write_text(text, encoding="utf-8"))  # type: ignore[misc]  # a default binds the loop's text
    return FinishedBacktest(report, targets, history.empty_quantities, time.perf_counter() - started)


def _targets(output: Path) -> tuple[Path, ...]:
    """The files to write; refuses a place where they cannot be."""
    if output.suffix and not output.is_dir():
        check_output(output, ENDINGS)
        return (output,)
    if not output.is_dir() and (output.exists() or not output.parent.is_dir()):
        raise BadOutput(output, f"it is neither a folder nor a file ending in {', '.join(ENDINGS)}")
    targets = tuple(output / f"backtest{ending}" for ending in ENDINGS)
    if output.is_dir():
        for target in targets:
            check_output(target, ENDINGS)
    return targets


def _text(question: FileBacktest, report: BacktestReport, ending: str) -> str:
    if ending == ".csv":
        return report.table().write_csv()
    if ending == ".json":
        return json.dumps(_as_json(question, report), indent=1, allow_nan=False) + "\n"
    return backtest_page(report, PageTitle(question.history.name, question.recipe))


def _as_json(question: FileBacktest, report: BacktestReport) -> dict[str, object]:
    return {
        "history": question.history.name,
        "recipe": question.recipe,
        "levels": [level_name(level) for level in report.levels],
        "origins": [str(origin) for origin in report.origins],
        "horizon": report.horizon,
        "quantiles": report.probabilities,
        "table": report.table().to_dicts(),
        "nodes": report.nodes.to_dicts(),
        "left_out": report.left_out.to_dicts(),
    }

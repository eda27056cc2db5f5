"""What the command line prints about recorded runs: tables and sentences for people, JSON for programs."""

import datetime as dt
from collections.abc import Mapping, Sequence
from dataclasses import asdict
from typing import Any

from rich.console import Console
from rich.markup import escape
from rich.table import Table

from app.store.run_records import RecordedRun
from forecasting.hierarchy import level_name
from retrain.errors import BadRecipe
from retrain.verdict_page import verdict_text
from retrain.verdict_record import verdict_of

_ID = 12


def print_list(console: Console, runs: Sequence[RecordedRun]) -> None:
    """One row per run."""
    table = Table(title=f"{len(runs):,} runs", title_justify="left")
    for column in ("id", "origin", "published", "shown now", "model", "verdict", "refused"):
        table.add_column(column, no_wrap=column == "id")
    for run in runs:
        table.add_row(
            run.id,
            str(run.origin),
            "never" if run.published_at is None else _minute(run.published_at),
            "yes" if run.current else "",
            escape(run.model),
            escape(_in_short(run.verdict)),
            escape(_refusal(run)),
        )
    console.print(table)


def print_run(console: Console, run: RecordedRun) -> None:
    """What made a run, what was said of it, and when it was shown; then the verdict as a document."""
    console.print(f"Run [bold]{run.id}[/]", highlight=False)
    lines = [
        f"{run.origin} and the {run.horizon} months after, in {run.unit}; levels "
        f"{'; '.join(map(level_name, run.levels))}",
        f"model {run.model}, {_recipe(run)}",
        f"snapshot {run.snapshot}, {_history(run)}",
        f"made by {_code(run)}",
        f"checksum {run.checksum or 'not recorded'}",
        f"recorded {_minute(run.recorded_at)}",
        f"because {run.because}",
        *(f"refused: {reason}" for reason in run.refused),
        *([f"accepted: {run.accepted}"] if run.accepted else []),
        *(f"{each.what} {_minute(each.at)}: {each.because}" for each in run.shown),
        "It is shown now." if run.current else "It was never shown." if not run.shown else "It is not shown.",
    ]
    console.print("\n".join(lines), markup=False, highlight=False, soft_wrap=True)
    if run.verdict is not None:
        console.print(f"\n{_document(run.verdict)}", markup=False, highlight=False, soft_wrap=True)


def print_rollback(console: Console, run: RecordedRun, before: str) -> None:
    """The sentence of what changed."""
    if run.id == before:
        said = f"Run [bold]{run.id}[/] is shown already; nothing changed."
    else:
        said = (
            f"Run [bold]{run.id}[/] is shown again, in place of {before}: "
            f"model {escape(run.model)}, snapshot {run.snapshot[:_ID]}. Its recipe is champion again."
        )
    console.print(said, highlight=False, soft_wrap=True)


def run_json(run: RecordedRun) -> dict[str, object]:
    """Everything that is kept of a run, as JSON's own types."""
    return asdict(run) | {
        "origin": str(run.origin),
        "recorded_at": run.recorded_at.isoformat(),
        "published_at": None if run.published_at is None else run.published_at.isoformat(),
        "levels": [level_name(level) for level in run.levels],
        "panel_first": None if run.panel_first is None else str(run.panel_first),
        "shown": [asdict(each) | {"at": each.at.isoformat()} for each in run.shown],
    }


def _minute(moment: dt.datetime) -> str:
    return f"{moment.astimezone(dt.UTC):%Y-%m-%d %H:%M}"


def _in_short(verdict: Mapping[str, Any] | None) -> str:
    if verdict is None:
        return ""
    champion = verdict["champion"]["recipe"]
    return (
        f"{verdict['winner']['recipe']} replaces {champion}" if verdict["promoted"] else f"{champion} stays"
    )


def _refusal(run: RecordedRun) -> str:
    if not run.refused:
        return ""
    reasons = f"{len(run.refused)} reason{'s' if len(run.refused) > 1 else ''}"
    return f"{reasons}, accepted" if run.accepted else reasons


def _recipe(run: RecordedRun) -> str:
    if run.recipe is None:
        return "its recipe was not recorded"
    settings = (f"{name} {value}" for name, value in run.recipe.items() if name != "name")
    return f"recipe {run.recipe['name']}: {', '.join(settings)}"


def _history(run: RecordedRun) -> str:
    first = "its first month not recorded" if run.panel_first is None else f"history from {run.panel_first}"
    return f"{first} to {run.origin}"


def _code(run: RecordedRun) -> str:
    if run.code_version is None:
        return "a version that did not record it"
    commit, lock = run.code_commit or "unknown", run.code_lock or "unknown"
    return f"Tonnage {run.code_version}, commit {commit}, lock file {lock[:_ID]}"


def _document(verdict: Mapping[str, Any]) -> str:
    try:
        return verdict_text(verdict_of(verdict))
    except BadRecipe as error:
        # The sentence can be read by any version.
        return f"{verdict['because']}\n({error})"

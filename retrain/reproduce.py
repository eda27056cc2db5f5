"""Whether a run can be made again to the last bit, or what is no longer what it was."""

from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from app.store.run_records import RecordedRun
from app.store.stored_forecast import NODE_NAMES, StoredForecast, node_names
from forecasting.arrays import Floats
from forecasting.checksum import forecast_checksum
from forecasting.forecast import Forecast, quantile_name
from forecasting.forecaster import fit
from ingestion.monthly import build_panel
from ingestion.snapshot import Snapshot
from ingestion.snapshot_errors import SnapshotDamaged, UnknownSnapshot
from ingestion.snapshot_store import SnapshotStore
from retrain.recorded import recorded_plan
from retrain.registry import CodeIdentity

STAGES = ("snapshot", "panel", "fit", "compare")


@dataclass(frozen=True)
class Reproduction:
    """What was found: sentences, none where all is as it was.

    `damage` is of the snapshot, and then nothing was computed; `numbers` are those that differ. Other `code`
    is no difference by itself, it is the first thing to look at where numbers differ.
    """

    run: str
    snapshot: str
    checksum: str
    damage: tuple[str, ...]
    code: tuple[str, ...]
    numbers: tuple[str, ...]

    @property
    def identical(self) -> bool:
        return not (self.damage or self.numbers)


def reproduce(
    run: RecordedRun,
    stored: StoredForecast,
    snapshots: SnapshotStore,
    code: CodeIdentity,
    *,
    on_stage: Callable[[str], None] = lambda stage: None,
) -> Reproduction:
    """Make a recorded run again from its snapshot, plan and recipe, and compare it byte for byte.

    What is computed must have the recorded checksum, and the stored rows must be what is computed. Raises
    `MadeUnknown` for a run that did not keep what it was made by.
    """
    plan = recorded_plan(run)
    on_stage("snapshot")
    damage: tuple[str, ...] = ()
    numbers: tuple[str, ...] = ()
    snapshot = None
    try:
        snapshot = snapshots.read(run.snapshot)
        damage = tuple(_damaged(snapshot))
    except (SnapshotDamaged, UnknownSnapshot) as error:
        damage = (str(error),)
    if snapshot is not None and not damage:
        on_stage("panel")
        panel = build_panel(snapshot, plan.keys, plan.levels)
        on_stage("fit")
        forecast = fit(plan.recipe, panel, plan.horizon).forecast(plan.probabilities)
        on_stage("compare")
        numbers = tuple(_differences(run, stored, forecast))
    other = tuple(_other_code(run, code))
    return Reproduction(run.id, run.snapshot, run.checksum or "", damage, other, numbers)


def _damaged(snapshot: Snapshot) -> list[str]:
    """A sentence for each part of a snapshot that is not what its hash says."""
    damaged = []
    for place in snapshot.places():
        try:
            snapshot.read_part(place.part)
        except SnapshotDamaged as error:
            damaged.append(f"{place.slice or 'undated lines'} of source {place.source!r}: {error}")
    return damaged


def _other_code(run: RecordedRun, now: CodeIdentity) -> list[str]:
    """What of the code is not what it was, as far as both can tell."""
    facts = [
        ("version", run.code_version, now.version),
        ("commit", run.code_commit, now.commit),
        ("lock file", run.code_lock, now.lock),
    ]
    found = [
        f"the run was made by {name} {then}, this is {here}"
        for name, then, here in facts
        if then and here and then != here
    ]
    if "+" in (run.code_commit or ""):
        found.append(f"the run was made by changes to commit {run.code_commit} that no commit has")
    return found


def _differences(run: RecordedRun, stored: StoredForecast, forecast: Forecast) -> list[str]:
    """A sentence for each way in which what is stored, what is recorded and what is computed disagree."""
    found = []
    checksum = forecast_checksum(forecast)
    if checksum != run.checksum:
        found.append(f"what is computed has checksum {checksum}, recorded is {run.checksum}")
    if not stored.whole:
        return [*found, "rows of the run are missing, or have another form than those that were written"]
    nodes = node_names(forecast.hierarchy)
    lacking, strange = (
        one.join(other, on=list(NODE_NAMES), how="anti", nulls_equal=True)
        for one, other in ((nodes, stored.nodes), (stored.nodes, nodes))
    )
    if lacking.height or strange.height:
        found.append(
            f"{lacking.height:,} nodes that are computed are not stored, "
            f"{strange.height:,} that are stored are not computed"
        )
        return found
    at = stored.nodes.with_row_index("at")
    row = nodes.join(at, on=list(NODE_NAMES), nulls_equal=True, maintain_order="left")["at"].to_numpy()
    names = ["mean", *map(quantile_name, forecast.probabilities)]
    computed = np.concatenate([forecast.mean[None], forecast.quantiles])
    kept = np.concatenate([stored.mean[None], stored.quantiles])[:, row]
    if kept.shape != computed.shape:
        return [*found, f"{kept.shape[2]} months are stored, {computed.shape[2]} are computed"]
    # Bytes, not values: a zero has two signs.
    differs = kept.view(np.int64) != computed.view(np.int64)
    if differs.any():
        found.append(_largest(forecast, names, kept, computed, int(differs.sum())))
    return found


def _largest(forecast: Forecast, names: list[str], kept: Floats, computed: Floats, count: int) -> str:
    gap = np.abs(kept - computed)
    which, node, lead = (
        int(at) for at in np.unravel_index(np.argmax(np.nan_to_num(gap, nan=np.inf)), gap.shape)
    )
    level, *keys = node_names(forecast.hierarchy).row(node)
    name = " ".join([level, *(key for key in keys if key)])
    place = f"the {names[which]} of {name} in {forecast.first + lead}"
    return (
        f"{count:,} of {kept.size:,} stored numbers are not what is computed, most {place}: "
        f"stored {float(kept[which, node, lead])!r}, computed {float(computed[which, node, lead])!r}"
    )

"""What a run was made from and by, for an auditor, and for whoever makes it again."""

from collections.abc import Mapping
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Engine

from app.store import tables
from app.store.session import connected
from app.store.snapshots import SnapshotFacts
from forecasting.panel import DemandPanel


@dataclass(frozen=True)
class KeptModel:
    """The registered model of a level, and which version of it; `level` is None for the bundle of all."""

    level: str | None
    name: str
    version: str


@dataclass(frozen=True, eq=False)
class Lineage:
    """What is kept of a run beside its numbers.

    `recipe`, `plan` and `verdict` are whole, as JSON's own types. `history` is the panel that it learned
    from. `refused` are the guard's reasons against showing it, `accepted` is somebody's to show it all the
    same. `models` are what the registry keeps of the run, `snapshot` what the snapshot tells of itself.
    """

    recipe: Mapping[str, object]
    plan: Mapping[str, object]
    code_version: str
    code_commit: str
    code_lock: str
    verdict: Mapping[str, object]
    history: DemandPanel
    refused: tuple[str, ...] = ()
    accepted: str | None = None
    models: tuple[KeptModel, ...] = ()
    snapshot: SnapshotFacts | None = None


def snapshots_of_runs(engine: Engine) -> set[str]:
    """The ids of the snapshots that the stored runs, shown or not, were made from."""
    with connected(engine) as connection:
        return set(connection.scalars(sa.select(tables.run.c.snapshot).distinct()))

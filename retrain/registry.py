"""What the pipeline asks of a model registry, whichever one keeps the record."""

from dataclasses import dataclass
from typing import Protocol

from app.store.lineage import KeptModel
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.recipe import Recipe
from forecasting.run import ForecastRun
from retrain.verdict import Verdict


@dataclass(frozen=True)
class CodeIdentity:
    """Which code made a number: the package's version, its commit, and the hash of its lock file.

    The last two are empty where nobody can tell: an installed package has no repository beside it.
    """

    version: str
    commit: str = ""
    lock: str = ""


@dataclass(frozen=True, eq=False)
class Candidate:
    """A trained month as the registry keeps it: the numbers, and everything they come from."""

    run: ForecastRun
    recipe: Recipe
    panel: DemandPanel
    verdict: Verdict
    code: CodeIdentity


class Registry(Protocol):
    """The record of every model, and of which one is champion."""

    def champion(self, before: Month) -> Recipe | None:
        """The recipe that was champion before `before` was trained, None where nothing was yet.

        A month that is run again finds the champion that it found the first time, so that it comes to
        the same verdict: the version of that very month counts for the one it replaced.
        """
        ...

    def record(self, candidate: Candidate) -> tuple[KeptModel, ...]:
        """Keep a version of every level, and of the bundle that pins them; nothing where kept already.

        What they are called, the bundle last.
        """
        ...

    def promote(self, run: str) -> None:
        """Make the bundle of this run, and its level versions, the champion; the bundle comes last."""
        ...

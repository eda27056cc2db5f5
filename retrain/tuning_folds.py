"""What recipes are tuned on: past origins whose months all end before those that a contest judges."""

import hashlib
import json
from dataclasses import dataclass

from forecasting.backtest import MONTHS_TO_LEARN, origins
from forecasting.hierarchy import Level, level_name
from forecasting.months import Month
from forecasting.panel import DemandPanel
from retrain.contest import contest_origins
from retrain.errors import BadPlan, TooShortToTune
from retrain.plan import Plan
from retrain.policy import Loss, Policy
from retrain.registry import CodeIdentity

MOST_FOLDS, FEWEST_FOLDS = 12, 6


@dataclass(frozen=True, eq=False)
class TuningTask:
    """One study: the folds, what is lost there, and the name under which all of it is kept.

    `panel` ends with the first month that a contest forecasts from: of later ones nothing is known.
    """

    study: str
    panel: DemandPanel
    origins: tuple[Month, ...]
    plan: Plan
    levels: tuple[Level, ...]
    loss: Loss


def tuning_task(
    panel: DemandPanel, snapshot: str, plan: Plan, policy: Policy, *, level: str | None, code: CodeIdentity
) -> TuningTask:
    """What to tune on a snapshot's panel, for one level or, with None, for all; raises `TooShortToTune`.

    A contest's first origin is the last month that may be looked at, for the months after it are judged.
    """
    levels = plan.levels if level is None else (_level(level, plan.levels),)
    judged = contest_origins(panel, policy.origins, policy.step, plan.horizon)
    spare = judged[0] - panel.first + 1 - plan.horizon - MONTHS_TO_LEARN if judged else -1
    fit = spare // policy.step + 1 if spare >= 0 else 0
    if fit < FEWEST_FOLDS:
        contest = (policy.origins - 1 + FEWEST_FOLDS - 1) * policy.step + plan.horizon
        raise TooShortToTune(panel.n_months, MONTHS_TO_LEARN + plan.horizon + contest, FEWEST_FOLDS)
    known = panel.until(judged[0])
    folds = origins(known, min(fit, MOST_FOLDS), policy.step, plan.horizon)
    content = [plan.key, policy.loss, [str(origin) for origin in folds], code.version, code.commit, code.lock]
    digest = hashlib.sha256(json.dumps(content).encode()).hexdigest()
    where = "all levels" if level is None else level_name(levels[0])
    name = f"{snapshot[:12]} {where} {plan.horizon} months {digest[:8]}"
    return TuningTask(name, known, folds, plan, levels, policy.loss)


def _level(text: str, levels: tuple[Level, ...]) -> Level:
    for level in levels:
        if level_name(level) == text or (level and {part.strip() for part in text.split(",")} == set(level)):
            return level
    known = "; ".join(map(level_name, levels))
    raise BadPlan("--level", text, f"no level of the plan; there are {known}")

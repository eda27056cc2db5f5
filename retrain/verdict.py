"""The promotion rule: who publishes next, and why."""

from dataclasses import dataclass

import numpy as np

from forecasting.arrays import Floats
from forecasting.hierarchy import Level, level_name
from forecasting.metrics import ratio
from forecasting.months import Month
from forecasting.recipe import Recipe
from retrain.contest import Contest
from retrain.paired_test import FEWEST_ORIGINS, holm, p_of_gain
from retrain.policy import Policy

# Differences in the last digits are none.
_TIE = 1e-9


@dataclass(frozen=True)
class Standing:
    """What one recipe lost as a share of demand, over all levels and at each; or why nothing is known."""

    recipe: Recipe
    role: str
    loss: float
    by_level: tuple[float, ...]
    failure: str


@dataclass(frozen=True)
class AtLevel:
    """A challenger beside the champion at one level.

    `gain` is the share of the champion's loss that it saved; `p_worse` the probability of a loss as much
    beyond the tolerance as was seen, if it is not beyond it.
    """

    level: Level
    gain: float
    p_worse: float
    protected: bool
    harmed: bool


@dataclass(frozen=True)
class Comparison:
    """A challenger beside the champion over all levels.

    `p` is the probability of gaining as much by chance alone, `corrected` the same after Holm's correction
    for the number of challengers; `against` says what speaks against promotion, empty where nothing does.
    """

    recipe: Recipe
    gain: float
    p: float
    corrected: float
    levels: tuple[AtLevel, ...]
    against: str


@dataclass(frozen=True)
class Verdict:
    """Who publishes, and the evidence: what was compared, on which folds, by how much, how surely."""

    winner: Recipe
    promoted: bool
    because: str
    champion: Recipe
    policy: Policy
    levels: tuple[Level, ...]
    origins: tuple[Month, ...]
    horizon: int
    standings: tuple[Standing, ...]
    comparisons: tuple[Comparison, ...]


def opponents(champion: Recipe, policy: Policy) -> list[Recipe]:
    """The policy's challengers without the champion, each once, in an order that is always the same."""
    return sorted(set(policy.challengers) - {champion}, key=lambda each: (each.name, each.key))


def unopposed(champion: Recipe, policy: Policy, levels: tuple[Level, ...], horizon: int) -> Verdict:
    """The verdict where there is no challenger: nothing is compared, and no contest has to be held."""
    because = _because(champion, policy, [], "", {})
    return Verdict(champion, False, because, champion, policy, levels, (), horizon, (), ())


def judge(contest: Contest, champion: Recipe, policy: Policy) -> Verdict:
    """Pick the recipe that publishes, all having been backtested on the same folds.

    Of the policy's challengers that lost enough less than the champion, surely enough, and harm no
    protected level, the one that lost least. A tie, a smaller gain, and evidence that is missing or not
    finite keep the champion.
    """
    challengers = opponents(champion, policy)
    missing = _missing(contest, champion, policy)
    reasons = {each: _failure(contest, each, policy) for each in challengers}
    comparisons: tuple[Comparison, ...] = ()
    if not missing:
        judged = [each for each in challengers if not reasons[each]]
        comparisons = _compare(contest, champion, judged, policy)
        reasons |= {each.recipe: each.against for each in comparisons}
    passed = [each for each in comparisons if not each.against]
    return Verdict(
        max(passed, key=lambda each: each.gain).recipe if passed else champion,
        bool(passed),
        _because(champion, policy, passed, missing, reasons),
        champion,
        policy,
        contest.levels,
        contest.origins,
        contest.horizon,
        _standings(contest, champion, challengers, policy),
        comparisons,
    )


def _losses(contest: Contest, recipe: Recipe, policy: Policy) -> Floats | None:
    """The judged losses of a recipe, shape (origins, levels, horizon); None where none can be judged."""
    losses = contest.entry(recipe).losses
    if losses is None:
        return None
    chosen = losses.pinball if policy.loss == "pinball" else losses.absolute
    sound = chosen.shape == contest.demand.shape and np.isfinite(chosen).all() and (chosen >= 0).all()
    return chosen if sound else None


def _failure(contest: Contest, recipe: Recipe, policy: Policy) -> str:
    """Why a recipe cannot be judged, empty where it can."""
    if _losses(contest, recipe, policy) is not None:
        return ""
    return contest.entry(recipe).failure or "its losses are not finite on every fold"


def _missing(contest: Contest, champion: Recipe, policy: Policy) -> str:
    """What keeps the whole contest from being judged, empty where nothing does."""
    if len(contest.origins) < FEWEST_ORIGINS:
        return f"a verdict asks for {FEWEST_ORIGINS} past origins, and there are {len(contest.origins)}"
    if policy.loss == "pinball" and not contest.probabilities:
        return "the pinball loss asks for quantiles, and none were forecast"
    failure = _failure(contest, champion, policy)
    return f"nothing can be compared with the champion: {failure}" if failure else ""


def _compare(
    contest: Contest, champion: Recipe, challengers: list[Recipe], policy: Policy
) -> tuple[Comparison, ...]:
    ours = _losses(contest, champion, policy)
    assert ours is not None
    found = []
    for recipe in challengers:
        theirs = _losses(contest, recipe, policy)
        assert theirs is not None
        saved, lost = (ours - theirs).sum(axis=1), ours.sum(axis=1)
        p = p_of_gain(saved, lost, contest.origins)
        found.append((recipe, _share(saved, lost), p, _by_level(contest, ours, theirs, policy)))
    corrected = holm([p for _, _, p, _ in found])
    return tuple(
        Comparison(recipe, gain, p, fair, levels, _against(gain, fair, levels, policy))
        for (recipe, gain, p, levels), fair in zip(found, corrected, strict=True)
    )


def _by_level(contest: Contest, ours: Floats, theirs: Floats, policy: Policy) -> tuple[AtLevel, ...]:
    levels = []
    for place, level in enumerate(contest.levels):
        saved, lost = ours[:, place] - theirs[:, place], ours[:, place]
        p_worse = p_of_gain(-saved - policy.tolerance * lost, lost, contest.origins)
        protected = policy.protected is None or level in policy.protected
        harmed = protected and p_worse <= 1 - policy.confidence
        levels.append(AtLevel(level, _share(saved, lost), p_worse, protected, harmed))
    return tuple(levels)


def _share(saved: Floats, lost: Floats) -> float:
    return float(saved.sum() / lost.sum()) if lost.sum() > 0 else 0.0


def _against(gain: float, corrected: float, levels: tuple[AtLevel, ...], policy: Policy) -> str:
    """The first thing that speaks against a challenger, in words."""
    if abs(gain) <= _TIE:
        return "it ties with the champion"
    if gain < policy.margin or gain < 0:
        than = "more" if gain < 0 else "less"
        return f"it lost {abs(gain):.2%} {than} than the champion, where {policy.margin:.1%} less is needed"
    if corrected > 1 - policy.confidence:
        return (
            f"it lost {gain:.2%} less than the champion, "
            f"but by chance alone so much is gained {chance(corrected)} of the time, "
            f"where {1 - policy.confidence:.1%} is allowed"
        )
    harmed = [f"{level_name(each.level)} ({-each.gain:.2%})" for each in levels if each.harmed]
    if harmed:
        return (
            f"it lost {gain:.2%} less than the champion over all levels, but surely more than "
            f"{policy.tolerance:.1%} more at {', '.join(harmed)}"
        )
    return ""


def _because(
    champion: Recipe,
    policy: Policy,
    passed: list[Comparison],
    missing: str,
    reasons: dict[Recipe, str],
) -> str:
    """The verdict in one sentence."""
    if passed:
        best = max(passed, key=lambda each: each.gain)
        among = f", the most of {len(passed)} that passed" if len(passed) > 1 else ""
        return (
            f"{best.recipe.name} replaces {champion.name}: it lost {best.gain:.2%} less{among}; "
            f"by chance alone so much is gained {chance(best.corrected)} of the time, "
            f"and no protected level surely lost more than {policy.tolerance:.1%} more"
        )
    if missing:
        return f"{champion.name} stays: {missing}"
    told = "; ".join(f"{recipe.name}: {reason}" for recipe, reason in reasons.items())
    return f"{champion.name} stays; {told}" if told else f"{champion.name} stays: it has no challenger"


def chance(p: float) -> str:
    """A probability in words that claim no more digits than there are.

    >>> chance(0.0312), chance(1e-7)
    ('3.1%', 'less than 0.1%')
    """
    return f"{p:.1%}" if p >= 0.001 else "less than 0.1%"


def _standings(
    contest: Contest, champion: Recipe, challengers: list[Recipe], policy: Policy
) -> tuple[Standing, ...]:
    """Champion, challengers and yardstick, each once."""
    roles = {champion: "champion"} | dict.fromkeys(challengers, "challenger")
    roles = roles if contest.yardstick in roles else roles | {contest.yardstick: "yardstick"}
    demand = contest.demand.sum(axis=(0, 2))
    standings = []
    for recipe, role in roles.items():
        losses = _losses(contest, recipe, policy)
        if losses is None:
            nothing = (np.nan,) * len(contest.levels)
            standings.append(Standing(recipe, role, np.nan, nothing, _failure(contest, recipe, policy)))
            continue
        lost = losses.sum(axis=(0, 2))
        whole = float(ratio(lost.sum(), demand.sum()))
        standings.append(Standing(recipe, role, whole, tuple(ratio(lost, demand).tolist()), ""))
    return tuple(standings)

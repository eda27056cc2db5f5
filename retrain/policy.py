"""The rule of promotion, as `[contest]` of tonnage.toml states it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from forecasting.errors import ForecastingError
from forecasting.hierarchy import Level, level_name, parse_level
from forecasting.recipe import Recipe
from retrain.errors import BadPlan, RetrainError
from retrain.plan import section, texts
from retrain.recipes import find_recipe

type Loss = Literal["pinball", "absolute"]

MOST_ORIGINS = 120
_KNOWN = (
    "challengers",
    "confidence",
    "loss",
    "margin",
    "origins",
    "protected_levels",
    "step",
    "tolerance",
)


@dataclass(frozen=True)
class Policy:
    """What a challenger must show, on how many past origins, `step` months apart.

    It is promoted when its `loss`, summed over all levels in the panel's unit, is at least `margin` of the
    champion's below it, when a paired test says with `confidence` that this is no chance, and when the
    same test says of none of `protected` (by default all levels) that it lost more than `tolerance`.
    """

    challengers: tuple[Recipe, ...] = ()
    loss: Loss = "pinball"
    margin: float = 0.02
    confidence: float = 0.975
    tolerance: float = 0.02
    protected: tuple[Level, ...] | None = None
    origins: int = 24
    step: int = 1


def parse_policy(document: Mapping[str, object], levels: Sequence[Level]) -> Policy:
    """The policy in `[contest]` for a plan with those levels; raises `BadPlan`."""
    given = section(document, "contest", _KNOWN)
    usual = Policy()
    return Policy(
        _challengers(given.get("challengers", [])),
        _loss(given.get("loss", usual.loss)),
        _share("margin", given.get("margin", usual.margin), 0.0, 1.0),
        _share("confidence", given.get("confidence", usual.confidence), 0.5, 1.0),
        _share("tolerance", given.get("tolerance", usual.tolerance), 0.0, 1.0),
        _protected(given["protected_levels"], levels) if "protected_levels" in given else None,
        _count("origins", given.get("origins", usual.origins)),
        _count("step", given.get("step", usual.step)),
    )


def _challengers(value: object) -> tuple[Recipe, ...]:
    setting = "contest.challengers"
    names = [] if value == [] else texts(setting, value, ",")
    if len(set(names)) < len(names):
        raise BadPlan(setting, value, "name each recipe once")
    try:
        return tuple(find_recipe(name) for name in names)
    except RetrainError as error:
        raise BadPlan(setting, value, str(error)) from error


def _loss(value: object) -> Loss:
    for known in get_args(Loss.__value__):
        if value == known:
            return known  # type: ignore[no-any-return]  # the literal's own values
    raise BadPlan("contest.loss", value, f"write one of {', '.join(get_args(Loss.__value__))}")


def _share(name: str, value: object, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value < most:
        raise BadPlan(f"contest.{name}", value, f"write a share from {least:g} to below {most:g}")
    return float(value)


def _protected(value: object, levels: Sequence[Level]) -> tuple[Level, ...]:
    setting = "contest.protected_levels"
    if value == []:
        return ()
    try:
        named = tuple(parse_level(text) for text in texts(setting, value, ";"))
    except ForecastingError as error:
        raise BadPlan(setting, value, str(error)) from error
    for level in named:
        if level not in levels:
            known = "; ".join(map(level_name, levels))
            raise BadPlan(setting, value, f"{level_name(level)!r} is no level of the plan; there are {known}")
    return named


def _count(name: str, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= MOST_ORIGINS:
        raise BadPlan(f"contest.{name}", value, f"write a number from 1 to {MOST_ORIGINS}")
    return value

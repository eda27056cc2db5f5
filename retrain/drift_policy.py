"""What is watched for drift and what is done about it, as `[drift]` of tonnage.toml states it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, get_args

from forecasting.errors import ForecastingError
from forecasting.hierarchy import Level, level_name, parse_level
from retrain.errors import BadPlan
from retrain.finding import Finding
from retrain.plan import KEYS, section, texts

type Action = Literal["notify", "retrain"]

_KNOWN = ("caution", "customer_share", "levels", "on_data", "on_errors")
_MOST_CAUTION = 10.0


@dataclass(frozen=True)
class DriftPolicy:
    """Which levels are watched, and what follows.

    Every node of `levels` is a scope, and so is every customer that buys `customer_share` of all tonnes.
    `caution` is how many times the calibrated evidence an alarm needs.
    """

    levels: tuple[Level, ...] = ((), ("organization",))
    customer_share: float = 0.05
    caution: float = 1.0
    on_data: Action = "notify"
    on_errors: Action = "retrain"


@dataclass(frozen=True)
class Decided:
    """What follows from each finding, in their order, and whether that is a retrain."""

    actions: tuple[Action, ...]

    @property
    def retrain(self) -> bool:
        return "retrain" in self.actions


def decide(findings: Sequence[Finding], policy: DriftPolicy, already: bool) -> Decided:
    """What to do about new findings; `already` says that this period had its drift retrain.

    One retrain answers all the findings of a review. Where there was one, people are told and decide.
    """
    wanted = {"errors": policy.on_errors, "data": policy.on_data}
    return Decided(tuple("notify" if already else wanted[each.kind] for each in findings))


def parse_drift(document: Mapping[str, object], levels: Sequence[Level]) -> DriftPolicy:
    """The policy in `[drift]` for a plan with those levels; raises `BadPlan`.

    Where no levels are named, those are watched that have no key but the organization, and one at most.
    """
    given = section(document, "drift", _KNOWN)
    usual = DriftPolicy()
    plain = tuple(each for each in levels if len(each) < 2 and not {*each} & {*KEYS[1:]})
    return DriftPolicy(
        _levels(given["levels"], levels) if "levels" in given else plain,
        _number("customer_share", given.get("customer_share", usual.customer_share), 0.01, 1.0),
        _number("caution", given.get("caution", usual.caution), 0.5, _MOST_CAUTION),
        _action("on_data", given.get("on_data", usual.on_data)),
        _action("on_errors", given.get("on_errors", usual.on_errors)),
    )


def _levels(value: object, levels: Sequence[Level]) -> tuple[Level, ...]:
    setting = "drift.levels"
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


def _number(name: str, value: object, least: float, most: float) -> float:
    if not isinstance(value, int | float) or isinstance(value, bool) or not least <= value <= most:
        raise BadPlan(f"drift.{name}", value, f"write a number from {least:g} to {most:g}")
    return float(value)


def _action(name: str, value: object) -> Action:
    for known in get_args(Action.__value__):
        if value == known:
            return known  # type: ignore[no-any-return]  # the literal's own values
    raise BadPlan(f"drift.{name}", value, f"write one of {', '.join(get_args(Action.__value__))}")

"""The policy on drift: what it reads, what it refuses, what it decides."""

from dataclasses import replace

import pytest

from forecasting.months import Month
from retrain.drift_policy import DriftPolicy, decide, parse_drift
from retrain.errors import BadPlan
from retrain.finding import Finding
from retrain.plan import LEVELS

MAY = Month(2026, 5)
ERRORS = Finding(
    "errors", "total", MAY, 6.0, 4.0, "demand", "less", (MAY,), (-3.0,), (80.0,), (100.0,), "t", "t"
)
DATA = replace(ERRORS, kind="data")


def test_what_is_not_said_is_usual() -> None:
    assert parse_drift({}, LEVELS) == DriftPolicy()
    assert parse_drift({}, (*LEVELS, ("segment",))).levels == ((), ("organization",), ("segment",))


def test_all_that_can_be_said() -> None:
    document = {
        "drift": {
            "on_data": "retrain",
            "on_errors": "notify",
            "caution": 2,
            "customer_share": 0.1,
            "levels": ["total", "material"],
        }
    }
    policy = parse_drift(document, LEVELS)
    assert policy == DriftPolicy(((), ("material",)), 0.1, 2.0, "retrain", "notify")
    assert parse_drift({"drift": {"levels": []}}, LEVELS).levels == ()


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("on_data", "ignore"),
        ("on_errors", True),
        ("caution", 0),
        ("caution", True),
        ("customer_share", 0.0),
        ("customer_share", "5%"),
        ("levels", ["customer,colour"]),
        ("levels", [""]),
        ("threshold", 3),
    ],
)
def test_mistakes_name_the_setting(setting: str, value: object) -> None:
    with pytest.raises(BadPlan, match=f"drift.{setting}"):
        parse_drift({"drift": {setting: value}}, LEVELS)


@pytest.mark.parametrize(
    ("policy", "already", "actions"),
    [
        (DriftPolicy(), False, ("retrain", "notify")),
        (DriftPolicy(), True, ("notify", "notify")),
        (DriftPolicy(on_errors="notify"), False, ("notify", "notify")),
        (DriftPolicy(on_data="retrain"), False, ("retrain", "retrain")),
        (DriftPolicy(on_data="retrain"), True, ("notify", "notify")),
    ],
)
def test_decisions(policy: DriftPolicy, already: bool, actions: tuple[str, ...]) -> None:
    decided = decide([ERRORS, DATA], policy, already)
    assert decided.actions == actions
    assert decided.retrain == ("retrain" in actions)
    assert decide([], policy, already).retrain is False

"""Charts by hand: what raises an alarm, what does not, and how it ends."""

import numpy as np
import pytest

from retrain.charts import Rule, episodes
from retrain.drift import OWN, POOLED
from retrain.normal_scores import FARTHEST

SIMPLE = Rule(most=3.0, square_most=np.inf, slack=1.0, warm_up=0)


def test_two_months_far_out_raise_and_one_does_not() -> None:
    assert episodes([0, 0, 3.9, 0, 0], SIMPLE) == ()
    (found,) = episodes([0, 0, -3.0, -3.0, 0], SIMPLE)
    assert (found.chart, found.since, found.opened, found.closed) == ("less", 2, 3, None)
    # Centred by what came before: nothing, nothing, and -3 in fifteen months, the dozen believed among them.
    centre = -3 / 15
    spread = np.sqrt((12 + 2 * centre**2 + (3 + centre) ** 2) / 15)
    assert found.statistic == pytest.approx((3 - 1) + ((3 + centre) / spread - 1))
    assert found.threshold == 3.0


def test_both_ways_at_once_are_seen_by_size() -> None:
    swing = [0.0] * 6 + [3.4, -3.8]
    assert episodes(swing, Rule(4.0, np.inf)) == ()
    (found,) = episodes(swing, Rule(4.0, 14.0))
    assert (found.chart, found.since, found.opened) == ("size", 6, 7)


def test_an_open_episode_is_not_opened_again_and_closes_after_three_calm_months() -> None:
    (found,) = episodes([0, 3, 3, 3, 3, 0, 0], SIMPLE)
    assert found.closed is None
    (found,) = episodes([0, 3, 3, 3, 3, 0, 3, 0, 0, 0], SIMPLE)
    assert (found.opened, found.closed) == (2, 9)
    again = episodes([0, 3, 3, 0, 0, 0, 3, 3], SIMPLE)
    assert [each.opened for each in again] == [2, 7]


def test_what_was_always_there_is_no_drift() -> None:
    random = np.random.default_rng(3)
    biased = 0.9 + random.normal(0, 0.3, 60)
    assert episodes(biased, POOLED) == ()
    too_sure = np.tile([1.7, -1.7], 40)
    assert episodes(too_sure, POOLED) == ()


def test_months_without_errors_are_no_news() -> None:
    with_gaps = [0, np.nan, 3, np.nan, np.nan, 3]
    (found,) = episodes(with_gaps, SIMPLE)
    assert (found.since, found.opened) == (2, 5)
    assert episodes([np.nan] * 24, POOLED) == ()
    assert episodes([], POOLED) == ()


@pytest.mark.parametrize("rule", [OWN, POOLED])
def test_the_first_months_only_teach_and_no_month_alone_is_enough_for_a_customer(rule: Rule) -> None:
    assert episodes([FARTHEST] * rule.warm_up, rule) == ()
    assert episodes([0.0] * 12 + [FARTHEST] + [0.0] * 12, rule) == ()

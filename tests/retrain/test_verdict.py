"""The promotion rule as a table of cases, its properties, and the document as golden files."""

import json
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from forecasting.arrays import Floats
from forecasting.hierarchy import Level
from forecasting.months import Month
from forecasting.recipe import Recipe
from retrain.contest import Contest, Entry, Losses, yardstick
from retrain.policy import Policy
from retrain.verdict import Verdict, judge, unopposed
from retrain.verdict_page import verdict_json, verdict_text
from retrain.verdict_record import verdict_of

GOLDEN = Path(__file__).parent / "golden"
LEVELS: tuple[Level, ...] = ((), ("customer",))
N, HORIZON = 18, 12
CHAMPION = Recipe("ensemble", ("theta",), calendar=False, learned=False)
RIVAL = Recipe("rival", ("smoothing",), calendar=False, learned=False)
OTHER = Recipe("other", ("log_smoothing",), calendar=False, learned=False)


def months_of(seed: int) -> Floats:
    """Noise that a month has whatever the origin, shape (origins, horizon), mean zero."""
    noise = np.random.default_rng(seed).normal(0, 1, N + HORIZON - 1)
    return noise[np.arange(N)[:, None] + np.arange(HORIZON)]


def losses(total: float, customer: float, seed: int = 0, noise: float = 0.02) -> Floats:
    """Losses about `total` and `customer` tonnes at both levels, shape (origins, levels, horizon)."""
    return np.stack([total * (1 + noise * months_of(seed)), customer * (1 + noise * months_of(seed + 1))], 1)


def contest_of(entries: Mapping[Recipe, Floats | str]) -> Contest:
    """A contest with those judged losses, or the reasons why there are none; the yardstick loses most."""
    entries = {**entries, yardstick(): losses(30, 60, 90)}
    return Contest(
        LEVELS,
        tuple(Month(2024, 5) + step for step in range(N)),
        HORIZON,
        (0.1, 0.5, 0.9),
        np.full((N, 2, HORIZON), 200.0),
        tuple(
            Entry(recipe, None, found) if isinstance(found, str) else Entry(recipe, Losses(found * 2, found))
            for recipe, found in entries.items()
        ),
        yardstick(),
    )


POLICY = Policy((RIVAL,), tolerance=0.02)
OURS = losses(20, 40, 10)


@pytest.mark.parametrize(
    ("theirs", "because"),
    [
        (OURS, "ensemble stays; rival: it ties with the champion"),
        (OURS * (1 - 1e-12), "ensemble stays; rival: it ties with the champion"),
        (
            OURS * 0.99,
            "ensemble stays; rival: it lost 1.00% less than the champion, where 2.0% less is needed",
        ),
        (
            OURS * 1.05,
            "ensemble stays; rival: it lost 5.00% more than the champion, where 2.0% less is needed",
        ),
        (OURS * 0.95, "rival replaces ensemble: it lost 5.00% less; by chance alone"),
        (
            losses(19, 38, 20, 0.2),
            "rival: it lost 3.94% less .* but by chance alone so much is gained 13.4% of the time",
        ),
        (
            OURS * np.array([1.1, 0.85])[:, None],
            r"it lost 6.70% less than the champion over all levels, but surely more than 2.0% more "
            r"at total \(10.00%\)",
        ),
        (OURS * np.array([1.01, 0.9])[:, None], "rival replaces ensemble"),
        ("from 2024-09: it broke", "ensemble stays; rival: from 2024-09: it broke"),
        (np.where(np.arange(N)[:, None, None] == 3, np.nan, OURS * 0.5), "not finite on every fold"),
        (np.where(np.arange(N)[:, None, None] == 3, np.inf, OURS * 0.5), "not finite on every fold"),
        (OURS[1:] * 0.5, "not finite on every fold"),
        (OURS * -0.5, "not finite on every fold"),
    ],
)
def test_what_a_challenger_must_show(theirs: Floats | str, because: str) -> None:
    verdict = judge(contest_of({CHAMPION: OURS, RIVAL: theirs}), CHAMPION, POLICY)
    assert re.search(because, verdict.because), verdict.because
    assert verdict.promoted == ("replaces" in because)
    assert verdict.winner == (RIVAL if verdict.promoted else CHAMPION)


def test_levels_that_are_not_protected_may_get_worse() -> None:
    contest = contest_of({CHAMPION: OURS, RIVAL: OURS * np.array([1.1, 0.85])[:, None]})
    verdict = judge(contest, CHAMPION, replace(POLICY, protected=(("customer",),)))
    assert verdict.promoted
    assert [(each.protected, each.harmed) for each in verdict.comparisons[0].levels] == [
        (False, False),
        (True, False),
    ]


def test_the_judged_loss_is_the_policys() -> None:
    better = Entry(RIVAL, Losses(OURS * 2, OURS * 0.9))
    contest = contest_of({CHAMPION: OURS})
    contest = replace(contest, entries=(*contest.entries, better))
    assert judge(contest, CHAMPION, POLICY).promoted
    assert not judge(contest, CHAMPION, replace(POLICY, loss="absolute")).promoted


@pytest.mark.parametrize(
    ("changes", "because"),
    [
        ({"origins": (), "demand": np.zeros((0, 2, HORIZON))}, "asks for 12 past origins, and there are 0"),
        ({"origins": tuple(Month(2024, 5) + step for step in range(11))}, "and there are 11"),
        ({"probabilities": ()}, "the pinball loss asks for quantiles, and none were forecast"),
        ({"entries": (Entry(CHAMPION, None, "it broke"), Entry(RIVAL, Losses(OURS, OURS)))}, "it broke"),
        ({"entries": (Entry(RIVAL, Losses(OURS, OURS)),)}, "it took no part"),
    ],
)
def test_a_contest_without_evidence_keeps_the_champion(changes: dict[str, object], because: str) -> None:
    contest = replace(contest_of({CHAMPION: OURS, RIVAL: OURS * 0.5}), **changes)  # type: ignore[arg-type]  # the point of the test
    verdict = judge(contest, CHAMPION, POLICY)
    assert (verdict.winner, verdict.promoted, verdict.comparisons) == (CHAMPION, False, ())
    assert because in verdict.because
    json.dumps(verdict_json(verdict), allow_nan=False)
    assert verdict.because in verdict_text(verdict)


def test_no_challenger_no_change() -> None:
    verdict = judge(contest_of({CHAMPION: OURS, RIVAL: OURS * 0.5}), CHAMPION, Policy((CHAMPION,)))
    assert verdict.because == "ensemble stays: it has no challenger"


def test_the_yardstick_is_promoted_only_when_it_was_named() -> None:
    contest = contest_of({CHAMPION: losses(60, 120, 10)})
    assert not judge(contest, CHAMPION, POLICY).promoted
    assert judge(contest, CHAMPION, Policy((yardstick(),))).winner == yardstick()
    warning = "The champion lost more than the yardstick"
    assert warning in verdict_text(judge(contest, CHAMPION, POLICY))
    assert warning not in verdict_text(judge(contest_of({CHAMPION: OURS}), CHAMPION, POLICY))


@pytest.mark.parametrize(("best", "second"), [(RIVAL, OTHER), (OTHER, RIVAL)])
def test_of_several_that_pass_the_one_that_lost_least(best: Recipe, second: Recipe) -> None:
    contest = contest_of({CHAMPION: OURS, second: OURS * 0.95, best: OURS * 0.93})
    verdict = judge(contest, CHAMPION, Policy((RIVAL, OTHER)))
    assert verdict.winner == best
    assert "7.00% less, the most of 2 that passed" in verdict.because


def test_more_challengers_need_more_evidence() -> None:
    """The same challenger alone, and among others that gain nothing."""
    theirs = losses(18.6, 37.2, 41, 0.11)
    alone = judge(contest_of({CHAMPION: OURS, RIVAL: theirs}), CHAMPION, Policy((RIVAL,)))
    p = alone.comparisons[0].p
    policy = Policy((RIVAL,), confidence=1 - 1.5 * p)
    assert judge(contest_of({CHAMPION: OURS, RIVAL: theirs}), CHAMPION, policy).promoted
    among = contest_of({CHAMPION: OURS, RIVAL: theirs, OTHER: losses(20, 40, 50, 0.11)})
    verdict = judge(among, CHAMPION, replace(policy, challengers=(RIVAL, OTHER)))
    assert not verdict.promoted
    assert verdict.comparisons[1].corrected == pytest.approx(2 * p)


def decision(verdict: Verdict) -> tuple[Recipe, bool]:
    return verdict.winner, verdict.promoted


seeds = st.integers(0, 10_000)
scales = st.floats(0.9, 1.1)


@given(seed=seeds, spread=st.floats(0, 0.3), scale=scales)
def test_equal_recipes_never_replace_each_other(seed: int, spread: float, scale: float) -> None:
    """Of two recipes at most one is better; of two equal ones none is, whoever is the champion."""
    ours, theirs = losses(20, 40, seed, spread), losses(20 * scale, 40 * scale, seed + 7, spread)
    ours, theirs = np.abs(ours), np.abs(theirs)
    one = judge(contest_of({CHAMPION: ours, RIVAL: theirs}), CHAMPION, Policy((RIVAL,)))
    two = judge(contest_of({CHAMPION: ours, RIVAL: theirs}), RIVAL, Policy((CHAMPION,)))
    assert not (one.promoted and two.promoted)
    for champion, rival in ((CHAMPION, RIVAL), (RIVAL, CHAMPION)):
        same = judge(contest_of({CHAMPION: ours, RIVAL: ours}), champion, Policy((rival,), margin=0.0))
        assert decision(same) == (champion, False)


@given(seed=seeds, scale=scales, other=scales, order=st.permutations([CHAMPION, RIVAL, OTHER]))
def test_the_order_of_recipes_is_immaterial(
    seed: int, scale: float, other: float, order: list[Recipe]
) -> None:
    found = {
        CHAMPION: losses(20, 40, seed),
        RIVAL: losses(20 * scale, 40 * scale, seed + 1),
        OTHER: losses(20 * other, 40 * other, seed + 2),
    }
    first = judge(contest_of(found), CHAMPION, Policy((RIVAL, OTHER)))
    second = judge(
        contest_of({recipe: found[recipe] for recipe in order}),
        CHAMPION,
        Policy(tuple(recipe for recipe in order if recipe != CHAMPION)),
    )
    assert replace(second, policy=first.policy) == first


@given(seed=seeds, scale=scales, unit=st.sampled_from([1e-6, 1e-3, 1e3, 1e9]))
def test_the_unit_is_immaterial(seed: int, scale: float, unit: float) -> None:
    ours, theirs = losses(20, 40, seed), losses(20 * scale, 40 * scale, seed + 1)
    first = judge(contest_of({CHAMPION: ours, RIVAL: theirs}), CHAMPION, POLICY)
    second = judge(contest_of({CHAMPION: ours * unit, RIVAL: theirs * unit}), CHAMPION, POLICY)
    assert decision(first) == decision(second)
    assert first.because == second.because


@given(seed=seeds, bad=st.sampled_from([np.nan, np.inf, -np.inf]), cell=st.integers(0, N * 2 * HORIZON - 1))
def test_a_single_bad_number_keeps_the_champion(seed: int, bad: float, cell: int) -> None:
    theirs = losses(10, 20, seed)
    theirs.flat[cell] = bad
    assert not judge(contest_of({CHAMPION: OURS, RIVAL: theirs}), CHAMPION, POLICY).promoted
    ours = OURS.copy()
    ours.flat[cell] = bad
    assert not judge(contest_of({CHAMPION: ours, RIVAL: losses(10, 20, seed)}), CHAMPION, POLICY).promoted


CASES = {
    "promoted": judge(
        contest_of({CHAMPION: OURS, RIVAL: losses(19, 37, 70, 0.05), OTHER: "from 2024-09: MemoryError"}),
        CHAMPION,
        Policy((RIVAL, OTHER)),
    ),
    "kept": judge(
        contest_of(
            {CHAMPION: OURS, RIVAL: OURS * np.array([1.1, 0.85])[:, None], OTHER: losses(20, 40, 5, 0.2)}
        ),
        CHAMPION,
        Policy((RIVAL, OTHER), protected=((),)),
    ),
    "nothing_to_judge": judge(
        replace(
            contest_of({}),
            origins=(),
            demand=np.zeros((0, 2, HORIZON)),
            entries=tuple(Entry(each, None, "no past origin") for each in (CHAMPION, RIVAL, yardstick())),
        ),
        CHAMPION,
        POLICY,
    ),
    "unopposed": unopposed(CHAMPION, Policy((CHAMPION,)), LEVELS, HORIZON),
}


@pytest.mark.parametrize("case", CASES)
def test_the_document_is_the_golden_one(case: str) -> None:
    """To change the document on purpose, write the new one to the file and review the difference."""
    assert verdict_text(CASES[case]) == (GOLDEN / f"verdict_{case}.md").read_text(encoding="utf-8")
    written = json.loads(json.dumps(verdict_json(CASES[case]), allow_nan=False))
    assert_alike(written, json.loads((GOLDEN / f"verdict_{case}.json").read_text(encoding="utf-8")))


@pytest.mark.parametrize("case", CASES)
def test_what_was_kept_of_a_verdict_is_all_of_it(case: str) -> None:
    kept = json.loads(json.dumps(verdict_json(CASES[case])))
    again = verdict_of(kept)
    assert verdict_text(again) == verdict_text(CASES[case])
    assert verdict_json(again) == verdict_json(CASES[case])
    assert replace(again, standings=()) == replace(CASES[case], standings=())  # a loss may be NaN


def assert_alike(ours: object, golden: object) -> None:
    """The same structure and texts; numbers to nine digits, for the last ones differ between machines."""
    assert type(ours) is type(golden)
    if isinstance(ours, dict) and isinstance(golden, dict):
        assert ours.keys() == golden.keys()
        for key in ours:
            assert_alike(ours[key], golden[key])
    elif isinstance(ours, list) and isinstance(golden, list):
        assert len(ours) == len(golden)
        for one, two in zip(ours, golden, strict=True):
            assert_alike(one, two)
    else:
        assert ours == (pytest.approx(golden, rel=1e-9) if isinstance(golden, float) else golden)

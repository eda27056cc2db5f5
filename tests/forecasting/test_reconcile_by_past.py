"""Reconciliation by past errors: cross-fitting and weights, against dense matrices."""

import numpy as np
import pytest

from forecasting.arrays import Floats, Ints
from forecasting.covariance import shrinkage, variance
from forecasting.hierarchy import Hierarchy
from forecasting.reconcile_by_past import Trust, reconcile_by_past

MONTHS, ORIGINS, HORIZON = 40, 16, 3


@pytest.fixture
def values(tiny: Hierarchy) -> Floats:
    return tiny.aggregate(np.random.default_rng(0).gamma(4, 5, (4, MONTHS)))


def came(values: Floats, origins: int) -> Floats:
    """What came after each origin and now, shape (nodes, origins + 1, horizon); the last month again after
    the end."""
    month = MONTHS - origins + np.arange(origins + 1)[:, None] + np.arange(HORIZON)
    return np.asarray(values[:, np.minimum(month, MONTHS - 1)])


@pytest.fixture
def past(values: Floats) -> Floats:
    """Incoherent forecasts from the last sixteen origins and now: leaves miss by less than what they are
    part of, so that no reconciliation is much better than another."""
    right = came(values, ORIGINS)
    shape = np.array([10.0] * 5 + [100.0] * 4)[:, None, None]
    return np.asarray(right * np.random.default_rng(1).gamma(shape, 1 / shape, right.shape))


def least_variance(hierarchy: Hierarchy, base: Floats, errors: Floats, trust: Trust) -> Floats:
    """The textbook mapping S (S' W^-1 S)^-1 S' W^-1."""
    s, inverse = hierarchy.summing.toarray(), np.linalg.inv(trust(errors).dense())
    return np.asarray(s @ np.linalg.solve(s.T @ inverse @ s, s.T @ inverse @ base))


def by_hand(hierarchy: Hierarchy, past: Floats, errors: Floats, part: Ints) -> tuple[Floats, Floats]:
    """Means and past forecasts by each kind, each origin by the errors of the origins of other parts."""
    origins = past.shape[1] - 1
    kinds, now = [], []
    for trust in (shrinkage, variance):
        kind = np.full_like(past, np.nan)
        for k in range(origins):
            leads, others = min(HORIZON, origins - k), part[k] != part
            learned = errors[:, others] if others.any() else errors
            kind[:, k, :leads] = least_variance(hierarchy, past[:, k, :leads], learned, trust)
        kinds.append(kind)
        now.append(least_variance(hierarchy, past[:, -1], errors, trust))
    bottom_up = hierarchy.aggregate(past[hierarchy.slices[-1]].reshape(4, -1)).reshape(past.shape)
    kinds.append(np.where(np.isnan(kinds[0]), np.nan, bottom_up))
    now.append(bottom_up[:, -1])
    return np.array(now), np.array(kinds)


@pytest.mark.parametrize(
    ("origins", "part"),
    [(ORIGINS, np.repeat([0, 1, 2, 3], 4)), (12, np.repeat([0, 1, 2, 3], 3)), (8, np.zeros(8))],
)
def test_past_forecasts_are_reconciled_by_the_errors_of_other_origins(
    tiny: Hierarchy, values: Floats, past: Floats, origins: int, part: Ints
) -> None:
    past = past[:, -origins - 1 :]
    mean, coherent = reconcile_by_past(tiny, values, past[:, -1], past)
    now, kinds = by_hand(tiny, past, values[:, MONTHS - origins :] - past[:, :-1, 0], part)
    known = np.isfinite(kinds[0])
    weights = np.linalg.lstsq(kinds[:, known].T, coherent[known])[0]
    np.testing.assert_allclose(weights @ kinds[:, known], coherent[known], rtol=1e-7)
    np.testing.assert_allclose(np.tensordot(weights, now, 1), mean, rtol=1e-6)
    # Who misses less weighs more, each level counting the same.
    assert weights.sum() == pytest.approx(1.0, abs=1e-6)
    missed = np.abs(came(values, origins) - kinds)
    relative = [
        np.mean([np.nanmean(each[part] / values[part].mean()) for part in tiny.slices]) for each in missed
    ]
    assert np.argsort(weights).tolist() == np.argsort(relative)[::-1].tolist()
    assert weights.min() > 0


def test_months_that_have_not_come_have_no_past_forecast(
    tiny: Hierarchy, values: Floats, past: Floats
) -> None:
    _, coherent = reconcile_by_past(tiny, values, past[:, -1], past)
    known = np.isfinite(coherent).all(axis=0)
    assert known.sum(axis=1).tolist() == [3] * (ORIGINS - 2) + [2, 1, 0]
    np.testing.assert_allclose(coherent[0], coherent[-4:].sum(axis=0), rtol=1e-9)

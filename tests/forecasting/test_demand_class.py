import numpy as np

from forecasting.demand_class import DemandClass, classify


def test_each_class_by_hand() -> None:
    values = np.array(
        [
            [5, 5, 5, 5, 5, 5],
            [1, 9, 1, 1, 1, 30],
            [0, 4, 0, 0, 4, 0],
            [0, 1, 0, 0, 40, 1],
            [0, 0, 0, 0, 0, 0],
        ],
        dtype=float,
    )
    found = classify(values, np.zeros(5, dtype=np.int64))
    assert found.codes.tolist() == [
        DemandClass.SMOOTH,
        DemandClass.ERRATIC,
        DemandClass.INTERMITTENT,
        DemandClass.LUMPY,
        DemandClass.SILENT,
    ]
    np.testing.assert_allclose(found.interval, [1, 1, 3, 2, np.inf])
    assert found.intermittent.tolist() == [False, False, True, True, False]
    assert found.level_is_intermittent


def test_months_before_birth_are_not_empty_months() -> None:
    values = np.array([[0, 0, 0, 0, 3, 3.0]])
    assert classify(values, np.array([4])).codes.tolist() == [DemandClass.SMOOTH]
    assert classify(values, np.array([0])).codes.tolist() == [DemandClass.INTERMITTENT]


def test_the_unit_does_not_matter() -> None:
    values = np.random.default_rng(0).poisson(0.7, (50, 30)).astype(float)
    born = np.zeros(50, dtype=np.int64)
    small, large = classify(values, born), classify(values * 1e200, born)
    assert (small.codes == large.codes).all()
    np.testing.assert_allclose(small.size_cv2, large.size_cv2)


def test_a_silent_or_absurd_level_is_not_intermittent() -> None:
    odd = np.array([[0.0, 0.0], [np.nan, -1.0]])
    assert not classify(odd, np.zeros(2, dtype=np.int64)).level_is_intermittent

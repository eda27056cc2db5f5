import numpy as np

from forecasting.row_quantiles import row_quantiles

PROBABILITIES = np.array([0.005, 0.1, 0.5, 0.9, 0.995])


def test_they_are_numpys_to_the_bit() -> None:
    values = np.random.default_rng(1).normal(size=(50, 77))
    values[np.random.default_rng(2).random(values.shape) < 0.2] = np.nan
    expected = np.nanquantile(values, PROBABILITIES, axis=1).T
    np.testing.assert_array_equal(row_quantiles(values, PROBABILITIES), expected)


def test_one_value_is_all_its_quantiles_and_none_has_none() -> None:
    values = np.array([[np.nan, 3.0], [np.nan, np.nan], [5.0, 4.0]])
    found = row_quantiles(values, np.array([0.0, 0.25, 1.0]))
    np.testing.assert_array_equal(found, [[3, 3, 3], [np.nan] * 3, [4, 4.25, 5]])

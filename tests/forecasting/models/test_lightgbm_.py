import lightgbm as lgb
import numpy as np
import pytest

from forecasting.models.lightgbm_ import LightGBMFailed, predict, train

PARAMETERS: dict[str, str | float] = {
    "objective": "gamma",
    "num_leaves": 7,
    "bagging_fraction": 0.7,
    "bagging_freq": 1,
    "deterministic": True,
    "force_row_wise": True,
    "seed": 3,
    "verbosity": -1,
}


def some_rows() -> tuple[np.ndarray, np.ndarray]:
    rng = np.random.default_rng(1)
    x = rng.normal(size=(5_000, 6)).astype(np.float32)
    x[rng.random(x.shape) < 0.1] = np.nan
    return x, np.exp(np.nan_to_num(x[:, 0])) * rng.gamma(4, 0.25, len(x))


def test_trees_and_answers_are_those_of_the_python_package() -> None:
    x, answer = some_rows()
    theirs = lgb.train({**PARAMETERS, "num_threads": 1}, lgb.Dataset(x, answer), num_boost_round=20)
    ours = train(x, answer, {**PARAMETERS, "num_threads": 1}, 20)
    np.testing.assert_array_equal(predict(ours.trees, x), theirs.predict(x))
    np.testing.assert_array_equal(ours.fitted, theirs.predict(x))


def test_threads_do_not_change_the_bytes() -> None:
    x, answer = some_rows()
    one, two = (predict(train(x, answer, {**PARAMETERS, "num_threads": n}, 20).trees, x) for n in (1, 2))
    assert one.tobytes() == two.tobytes()


def test_what_the_library_refuses_is_told() -> None:
    x, answer = some_rows()
    with pytest.raises(LightGBMFailed, match="label"):
        train(x, -answer, PARAMETERS, 1)


def test_no_rows_have_no_answers() -> None:
    x, answer = some_rows()
    assert predict(train(x, answer, PARAMETERS, 1).trees, x[:0]).shape == (0,)

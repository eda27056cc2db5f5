import numpy as np
import pytest

from forecasting.models.boosted import Boosted
from forecasting.models.intermittent import OrdersAndSizes
from forecasting.models.one_step import one_step_errors
from forecasting.models.protocol import SeriesBatch


@pytest.mark.parametrize("model", [OrdersAndSizes(), Boosted(rows=20_000, rounds=20)])
def test_errors_are_actual_less_what_the_same_fit_expects(
    model: OrdersAndSizes | Boosted, order_book: SeriesBatch
) -> None:
    fitted = model.fit(order_book)
    errors = one_step_errors(fitted, 24)
    assert errors.shape == (400, 24)
    assert np.isfinite(errors).all()
    young = order_book.born > 30
    assert (errors[young, :7] == 0).all()
    # In-sample errors of a calibrated model are small on average beside what they scatter.
    old = errors[order_book.born == 0]
    assert abs(old.mean()) < 0.05 * old.std()
    plain = order_book.values[order_book.born == 0, -24:]
    assert old.std() < plain.std()

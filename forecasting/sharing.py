"""What the levels of a hierarchy tell each other before each forecasts by itself."""

from collections.abc import Sequence

from forecasting.hierarchy import Hierarchy
from forecasting.models.autoregression import learn_coefficients
from forecasting.models.protocol import SeriesBatch, Shared
from forecasting.seasons import shared_seasons


def share(
    hierarchy: Hierarchy,
    levels: Sequence[SeriesBatch],
    teachers: Sequence[SeriesBatch],
    origins: int,
    horizon: int,
) -> list[Shared]:
    """For each level what its series share with the others; `teachers` teach how months follow each other."""
    months = levels[0].n_months
    then = shared_seasons(hierarchy, levels, months - origins)
    now = shared_seasons(hierarchy, levels, months)
    coefficients = learn_coefficients(teachers, origins, horizon)
    return [Shared(*seasons, coefficients) for seasons in zip(then, now, strict=True)]

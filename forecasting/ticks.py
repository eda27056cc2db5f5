"""Where an axis is labelled."""

import math


def round_ticks(highest: float) -> list[float]:
    """Round numbers from zero to at least the highest, at most six of them.

    >>> round_ticks(0.42)
    [0.0, 0.1, 0.2, 0.3, 0.4, 0.5]
    >>> round_ticks(0.0)
    [0.0, 1.0]
    """
    if highest <= 0:
        return [0.0, 1.0]
    power = 10.0 ** math.floor(math.log10(highest / 5))
    step = next(power * factor for factor in (1, 2, 5, 10, 20) if power * factor * 5 >= highest * (1 - 1e-9))
    return [round(step * at, 10) for at in range(math.ceil(highest / step - 1e-9) + 1)]

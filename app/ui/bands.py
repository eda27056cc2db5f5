"""Which bands a run's quantiles make: what lies between two of them, called by what it holds."""

from collections.abc import Sequence
from dataclasses import dataclass

from forecasting.forecast import quantile_name

_WANTED = (0.5, 0.9)


@dataclass(frozen=True)
class Band:
    """What lies between two quantiles; `label` is honest about what it holds."""

    low_probability: float
    high_probability: float

    @property
    def share(self) -> float:
        """How much of what may come lies within."""
        return self.high_probability - self.low_probability

    @property
    def label(self) -> str:
        """A band around the median by its share, any other by its ends."""
        if self.is_central:
            return f"{round(100 * self.share, 1):g} % band"
        return f"{self.low} to {self.high}"

    @property
    def is_central(self) -> bool:
        """Whether as much lies below as above."""
        return abs(self.low_probability + self.high_probability - 1) < 1e-9

    @property
    def low(self) -> str:
        """The name of its lower end in answers."""
        return quantile_name(self.low_probability)

    @property
    def high(self) -> str:
        """The name of its upper end in answers."""
        return quantile_name(self.high_probability)


def bands_of(probabilities: Sequence[float]) -> list[Band]:
    """The bands of 50 and 90 %, the narrower first, or what the quantiles have nearest to them.

    >>> [band.label for band in bands_of((0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95))]
    ['50 % band', '90 % band']
    >>> [bands_of((0.1, 0.5, high))[0].label for high in (0.9, 0.975)]
    ['80 % band', 'p10 to p97_5']
    >>> bands_of((0.5,))
    []
    """
    levels = sorted(probabilities)
    pairs = [Band(low, high) for low in levels for high in levels if low < high]
    central = [band for band in pairs if band.is_central]
    if not central:
        return [Band(levels[0], levels[-1])] if len(levels) > 1 else []
    nearest = {min(central, key=lambda band: abs(band.share - wanted)): None for wanted in _WANTED}
    return sorted(nearest, key=lambda band: band.share)

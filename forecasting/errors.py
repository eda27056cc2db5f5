"""What can be wrong with input to the core.

ForecastingError
├── BadMonth          text or a date that is not a month
├── BadHierarchy      keys, levels or leaves that do not fit together
├── BadPanel          history of the wrong shape or with impossible values
├── TooLittleHistory  fewer months than a forecast needs
└── BadForecast       numbers that are not a forecast: gaps, disorder, wrong shape
"""


class ForecastingError(Exception):
    """Base of the core's errors; each message names the value seen and the remedy."""


class BadMonth(ForecastingError):
    """A value that does not name a calendar month."""

    def __init__(self, value: object) -> None:
        self.value = value
        super().__init__(f"{value!r} is not a month; write it as YYYY-MM, for example 2026-11")


class BadHierarchy(ForecastingError):
    """Keys, levels or leaves that do not fit together."""


class BadPanel(ForecastingError):
    """History of the wrong shape or with impossible values."""


class TooLittleHistory(ForecastingError):
    """Fewer months of history than a forecast needs."""

    def __init__(self, months: int, needed: int) -> None:
        self.months = months
        self.needed = needed
        super().__init__(
            f"history covers {months} month{'s' if months != 1 else ''}; "
            f"a forecast needs at least {needed}: load more history"
        )


class BadForecast(ForecastingError):
    """Numbers that are not a forecast: gaps, disorder or the wrong shape."""

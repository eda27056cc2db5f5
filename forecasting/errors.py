"""What can be wrong with input to the core.

ForecastingError
├── BadMonth          text or a date that is not a month
├── BadHierarchy      keys, levels or leaves that do not fit together
├── BadPanel          history of the wrong shape or with impossible values
├── TooLittleHistory  fewer months than a forecast needs
├── TooFewOrigins     history too short for the past origins asked for
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


class TooFewOrigins(ForecastingError):
    """History is too short for the past origins asked for."""

    def __init__(self, months: int, asked: int, fit: int, needed: int) -> None:
        self.months = months
        self.asked = asked
        self.fit = fit
        self.needed = needed
        remedy = (
            "ask for fewer or load more history" if fit else "load more history or ask for a shorter horizon"
        )
        super().__init__(
            f"history covers {months} months; {asked} origin{'s need' if asked != 1 else ' needs'} {needed} "
            f"and {fit or 'none'} fit{'s' if fit == 1 else ''}: {remedy}"
        )


class BadForecast(ForecastingError):
    """Numbers that are not a forecast: gaps, disorder or the wrong shape."""

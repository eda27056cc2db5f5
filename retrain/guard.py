"""Why a forecast must not be shown."""

from forecasting.forecast import Forecast

MOST_INCOHERENCE = 1e-9


def reasons_to_refuse(forecast: Forecast) -> list[str]:
    """Every reason against showing a forecast; none when it may be shown.

    Gaps, negatives and disordered quantiles cannot get here: `Forecast` refuses them when it is made.
    """
    incoherence = forecast.incoherence()
    if incoherence > MOST_INCOHERENCE:
        return [f"leaves do not add up to their nodes (relative gap {incoherence:.1e})"]
    return []

"""What the front door hands the service: answers that need rooms which the service may not enter."""

from collections.abc import Callable
from dataclasses import dataclass

from app.export.metrics import Facts
from app.prediction import Predictor


@dataclass(frozen=True)
class Surroundings:
    """`facts` gathers what a monitoring system asks of the house; `predictor` forecasts what is brought."""

    facts: Callable[[], Facts] | None = None
    predictor: Predictor | None = None

"""What the front door hands the service: answers that need rooms which the service may not enter."""

from collections.abc import Callable
from dataclasses import dataclass

from app.access.callers import Issuer
from app.access.sessions import Sessions
from app.export.metrics import Facts
from app.prediction import Predictor


@dataclass(frozen=True)
class Surroundings:
    """`facts` gathers what a monitoring system asks of the house; `predictor` forecasts what is brought.

    Tokens that `issuer` has signed are taken beside API keys. With `sessions` there is the page, and people
    sign in there. `models_at` is where people look at models in MLflow, without a slash at its end.
    """

    facts: Callable[[], Facts] | None = None
    predictor: Predictor | None = None
    issuer: Issuer | None = None
    sessions: Sessions | None = None
    models_at: str | None = None

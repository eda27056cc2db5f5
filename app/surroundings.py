"""What the front door hands the service: answers that need rooms which the service may not enter."""

from collections.abc import Callable
from dataclasses import dataclass

from app.export.metrics import Facts


@dataclass(frozen=True)
class Surroundings:
    """`facts` gathers what a monitoring system asks of the house."""

    facts: Callable[[], Facts] | None = None

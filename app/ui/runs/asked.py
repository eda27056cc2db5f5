"""What the address asks of `/runs`: a run, the one to hold it against, a level, and a page of the list."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from app.api.parameters import KeyValue
from app.api.sight import CURRENT
from app.ui.parts import Asked, checked

PATH = "/runs"


class RunsAsked(BaseModel):
    """The names in the address: `before` is the run that was shown before where it is left out."""

    model_config = ConfigDict(frozen=True)

    run: KeyValue = CURRENT
    before: KeyValue | None = None
    level: KeyValue | None = None
    after: Annotated[str, Field(min_length=1)] | None = None


def read(asked: Asked) -> RunsAsked:
    """What is asked; raises `BadParameter`."""
    return checked(RunsAsked, asked)

"""What somebody brings in the browser: a file, and how its columns are to be read."""

import base64
import binascii
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.access.rules import check
from app.reading.errors import UnreadableFile
from app.reading.history import Choice
from app.reading.roles import KEY, MONTH, QUANTITY
from app.refusals import BadParameter
from app.ui import asking

MOST_BYTES = 24_000_000
"""Bytes of a file, where the edge lets in as much."""

_BESIDE = 100_000  # bytes of what else is in the body of a callback

FILE = "predict-file"
SHEET = "predict-sheet"
ROLE = "predict-role"
DAY_FIRST = "predict-day-first"
DECIMALS = "predict-decimals"

type Told = Mapping[str, Any]


def check_may_predict() -> None:
    """Who may ask `/v1/predict` may ask here: raises `RoleTooLow`."""
    check(asking.caller(), "POST /v1/predict")


def most_bytes() -> int:
    """Bytes of a file that is taken here: as base64 in a callback's body it is a third more."""
    return min(MOST_BYTES, max(0, asking.largest_body() - _BESIDE) * 3 // 4)


def content_of(told: Told) -> bytes:
    """The bytes of the file; raises `UnreadableFile` where the browser has sent none, and says why."""
    if told.get("files", 1) != 1:
        raise UnreadableFile(f"these are {told['files']} files", "drop one at a time")
    size, most = told.get("size", 0), most_bytes()
    if size > most:
        raise UnreadableFile(
            f"the file has {size:,} bytes; the page takes {most:,}",
            "leave columns out, add up by month, or use: tonnage forecast",
        )
    if told.get("content") is None:
        raise UnreadableFile("the browser could not read the file", "choose the file itself, not a folder")
    try:
        return base64.b64decode(told["content"], validate=True)
    except (binascii.Error, TypeError, ValueError):
        raise BadParameter("this is not a file", "open the page anew", field="content") from None


@dataclass(frozen=True)
class Roles:
    """Which columns have which role, by their place."""

    keys: tuple[int, ...]
    months: tuple[int, ...]
    quantities: tuple[int, ...]

    @classmethod
    def of(cls, chosen: Sequence[str | None]) -> "Roles":
        """From what was chosen for each column."""
        keys, months, quantities = (
            tuple(place for place, role in enumerate(chosen) if role == wanted)
            for wanted in (KEY, MONTH, QUANTITY)
        )
        return cls(keys, months, quantities)

    def choice(self, day_first: str | None, decimals: str | None) -> Choice:
        """What is read; raises `UnreadableFile` where it is not one month and one quantity."""
        for places, what in ((self.months, "month"), (self.quantities, "quantity")):
            if len(places) != 1:
                raise UnreadableFile(
                    f"no column is the {what}" if not places else f"{len(places)} columns are the {what}",
                    "choose one, above the rows",
                )
        return Choice(
            self.keys,
            self.months[0],
            self.quantities[0],
            None if day_first is None else day_first == "day",
            None if decimals is None else decimals == "comma",
        )

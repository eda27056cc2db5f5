"""What to fit, as data: a recipe has a stable key and is reviewed like code."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal

type Member = Literal[
    "smoothing", "log_smoothing", "shared_season", "autoregression", "theta", "seasonal_naive"
]
type SlowMember = Literal["statsmodels", "prophet"]


@dataclass(frozen=True)
class Recipe:
    """How to forecast; `key` changes when anything that shapes the numbers changes.

    `members` are averaged at every level, with weights learned from their past errors; with `calendar`
    they see months without the effects of working days and Easter. With `learned`, one model of orders
    and sizes that learns across the leaves joins them there, and alone gives the quantiles of levels where
    most series are intermittent, whose means are raw smoothing's. `slow_members` join at levels of at most
    `slow_nodes` nodes; they take seconds per series, and at most `slow_seconds`.
    """

    name: str
    members: tuple[Member, ...]
    calendar: bool
    learned: bool
    slow_members: tuple[SlowMember, ...] = ()
    slow_nodes: int = 0
    slow_seconds: float = 20.0

    @property
    def shares(self) -> bool:
        """Whether some member needs to know what a level's series share with the rest of the hierarchy."""
        return bool({"shared_season", "autoregression"} & set(self.members))

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the recipe's content."""
        content = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:12]

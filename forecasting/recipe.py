"""What to fit, as data: a recipe has a stable key and is reviewed like code."""

import hashlib
import json
from dataclasses import asdict, dataclass
from typing import Literal


@dataclass(frozen=True)
class Recipe:
    """A named choice of base model; `key` changes when anything that shapes the numbers changes."""

    name: str
    model: Literal["seasonal_naive", "smoothing"]

    @property
    def key(self) -> str:
        """Twelve hexadecimal digits of the SHA-256 of the recipe's content."""
        content = json.dumps(asdict(self), sort_keys=True, separators=(",", ":"))
        return hashlib.sha256(content.encode()).hexdigest()[:12]


SEASONAL_NAIVE = Recipe("seasonal-naive", "seasonal_naive")
DEFAULT = Recipe("smoothing", "smoothing")

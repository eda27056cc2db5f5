"""Which questions go the short way: those that name one node by its keys, and nothing unusual."""

from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import parse_qsl

from app.errors import Refused
from app.store.one_node import names_one_node
from app.store.selection import PublishedRun, Selection, select_from
from forecasting.errors import BadMonth
from forecasting.months import Month

_NAMES = frozenset({"level", "organization", "customer", "material", "from", "to", "quantiles"})
_KEYS = ("organization", "customer", "material")
_LONGEST = 512


@dataclass(frozen=True)
class Question:
    """The parameters of a question about one node, read but not yet held against a run."""

    level: str
    where: tuple[tuple[str, str], ...]
    first: Month | None
    last: Month | None
    probabilities: tuple[float, ...] | None

    def of(self, run: PublishedRun) -> Selection | None:
        """What is asked of the run, None where it is not one node or cannot be asked."""
        try:
            selection = select_from(
                run,
                level=self.level,
                where=dict(self.where),
                first=self.first,
                last=self.last,
                probabilities=self.probabilities,
            )
        except Refused:
            return None
        return selection if names_one_node(selection) else None


@lru_cache(maxsize=4_096)
def read_question(query: bytes) -> Question | None:
    """The question of a query string, None for every one that is not plainly about one node."""
    if len(query) > _LONGEST:
        return None
    pairs = parse_qsl(query.decode("latin-1"), keep_blank_values=True)
    asked = dict(pairs)
    if len(asked) < len(pairs) or not _NAMES.issuperset(asked):
        return None
    where = tuple((key, asked[key]) for key in _KEYS if key in asked)
    # Commas may join several values; NUL and nothing are refused.
    if any(not value or "," in value or "\0" in value for _, value in where):
        return None
    try:
        first, last = (Month.parse(asked[name]) if name in asked else None for name in ("from", "to"))
        probabilities = _probabilities(asked["quantiles"]) if "quantiles" in asked else None
    except (BadMonth, ValueError):
        return None
    return Question(asked.get("level", "total"), where, first, last, probabilities)


def _probabilities(text: str) -> tuple[float, ...]:
    probabilities = tuple(float(part) for part in text.split(","))
    if len(set(probabilities)) < len(probabilities):
        raise ValueError(text)
    return probabilities

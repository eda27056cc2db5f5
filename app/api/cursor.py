"""The opaque bookmark between two pages: the run and the question that are being read, and the last node."""

import json
import math
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from app.refusals import BadCursor
from app.store.node_id import NodeKey


@dataclass(frozen=True)
class Cursor:
    """Where a page ended; it names its run, so that pages of two runs never mix.

    `question` stands for all that was asked but the size and form of the page. `total` is what the last
    node was sorted by, None in serving order.
    """

    run: str
    question: str
    level: str
    total: float | None
    after: NodeKey

    def encode(self) -> str:
        """The cursor as one word, safe in a URL."""
        text = json.dumps([self.run, self.question, self.level, self.total, *self.after], ensure_ascii=False)
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The inverse of `encode`; raises `BadCursor` for anything else."""
        try:
            match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
                case [str(run), str(question), str(level), float() | None as total, *after] if all(
                    isinstance(part, str) for part in after
                ):
                    cursor = cls(run, question, level, total, tuple(after))
                    # PostgreSQL text holds every character but NUL; encoding refuses half characters.
                    plain = cursor.encode() == text and "\0" not in "".join([run, *after])
                    if plain and (total is None or math.isfinite(total)):
                        return cursor
        except (ValueError, RecursionError):
            pass
        raise BadCursor(text)

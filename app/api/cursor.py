"""The opaque bookmark between two pages: the run that is being read and the last node seen."""

import json
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from app.refusals import BadCursor
from app.store.read import NodeKey


@dataclass(frozen=True)
class Cursor:
    """Where a page ended; it names its run, so that pages of two runs never mix."""

    run: str
    level: str
    after: NodeKey

    def encode(self) -> str:
        """The cursor as one word, safe in a URL."""
        text = json.dumps([self.run, self.level, *self.after], ensure_ascii=False)
        return urlsafe_b64encode(text.encode()).decode().rstrip("=")

    @classmethod
    def decode(cls, text: str) -> "Cursor":
        """The inverse of `encode`; raises `BadCursor` for anything else."""
        try:
            match json.loads(urlsafe_b64decode(text + "=" * (-len(text) % 4))):
                case [str(run), str(level), *after] if all(isinstance(part, str) for part in after):
                    cursor = cls(run, level, tuple(after))
                    # PostgreSQL text holds every character but NUL; encoding refuses half characters.
                    if cursor.encode() == text and "\0" not in "".join([run, *after]):
                        return cursor
        except (ValueError, RecursionError):
            pass
        raise BadCursor(text)

"""What an API key looks like: `tng_<id>_<secret>`.

The prefix lets scanners of repositories find one that was left there, the id finds it in the database.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256

_FORM = re.compile(r"tng_([0-9a-f]{12})_([0-9a-f]{64})")


@dataclass(frozen=True)
class Key:
    """An API key as its holder has it; the secret is shown once and kept nowhere."""

    id: str
    secret: str = field(repr=False)

    def __str__(self) -> str:
        return f"tng_{self.id}_{self.secret}"

    @property
    def secret_hash(self) -> bytes:
        """What is stored of the secret.

        No slow hash: that makes guessed passwords dear, and 256 random bits cannot be guessed.
        """
        return sha256(self.secret.encode()).digest()


def new_key(random: Callable[[int], bytes]) -> Key:
    """A key from so many random bytes; the secret has 256 bits."""
    return Key(random(6).hex(), random(32).hex())


def read_key(text: str) -> Key | None:
    """The key that a text is, None if it is none."""
    found = _FORM.fullmatch(text)
    return None if found is None else Key(*found.groups())

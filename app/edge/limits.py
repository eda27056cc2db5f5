"""How much of anything one caller may take."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Limits:
    """Bytes of a request's URL, headers and body; requests per second of one caller, None for any number.

    A caller who was quiet may ask `burst` times at once. `cache` is for all callers: bytes of answers that
    are kept to be given again.
    """

    url: int = 16_384
    head: int = 32_768
    body: int = 33_554_432
    rate: float | None = None
    burst: int = 1_000
    cache: int = 67_108_864

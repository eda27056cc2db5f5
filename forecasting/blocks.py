"""Series in blocks: what is computed for many at a time takes room for a block, not for all."""

from collections.abc import Iterator

# A smaller hierarchy is one block, and its sums are added up in one go.
BLOCK = 50_000


def blocks(count: int) -> Iterator[slice]:
    """Slices that cover `count` rows.

    >>> list(blocks(120_000))
    [slice(0, 50000, None), slice(50000, 100000, None), slice(100000, 120000, None)]
    """
    for start in range(0, count, BLOCK):
        yield slice(start, min(start + BLOCK, count))

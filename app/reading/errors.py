"""What is wrong with a file that somebody brought.

Refused
└── UnreadableFile      a file that holds no history, or one that can be read in more than one way
"""

from app.errors import Refused


class UnreadableFile(Refused):
    """A file that holds no history: what was found, where, and what to do about it."""


def quoted(value: object) -> str:
    """A cell as it is shown in a sentence: its beginning, on one line, in quotes.

    >>> quoted("a very long cell " * 9)
    "'a very long cell a very long cell a ver …'"
    """
    text = " ".join(str(value).split())
    return repr(text if len(text) <= 40 else f"{text[:39].rstrip()} …")


def more(others: int) -> str:
    """So many more rows that have the same.

    >>> more(0), more(1), more(2000)
    ('', ' (and one more row like it)', ' (and 2,000 more rows like it)')
    """
    if others == 0:
        return ""
    return " (and one more row like it)" if others == 1 else f" (and {others:,} more rows like it)"

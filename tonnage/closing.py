"""What a command opened is closed when it ends, well or not, also where the process goes on."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from contextvars import ContextVar

_ends: ContextVar[ExitStack | None] = ContextVar("ends", default=None)


@contextmanager
def command() -> Iterator[None]:
    """A command runs; what it has registered `at_end` is done afterwards, the last first."""
    with ExitStack() as ends:
        token = _ends.set(ends)
        try:
            yield
        finally:
            _ends.reset(token)


def at_end(close: Callable[[], None]) -> None:
    """Call this when the command ends; without a command nothing is registered."""
    ends = _ends.get()
    if ends is not None:
        ends.callback(close)

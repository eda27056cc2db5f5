"""Times the stages of a month."""

import resource
import sys
from collections.abc import Callable
from dataclasses import dataclass, field

import structlog

from app.store.stage_times import StageTime

log = structlog.get_logger("tonnage")

# Linux counts in kibibytes, macOS in bytes.
_UNIT = 1 if sys.platform == "darwin" else 1024


@dataclass
class StageClock:
    """Hears of each stage as it begins; `seconds` is a clock that never goes back.

    `quiet` keeps the lines of the log away from a progress bar.
    """

    announce: Callable[[str], None]
    seconds: Callable[[], float]
    quiet: bool = False
    _done: list[StageTime] = field(default_factory=list)
    _running: tuple[str, float] | None = None

    def begin(self, stage: str) -> None:
        """A stage begins, and the one before it is over; what follows a colon is a place within a stage."""
        name = stage.partition(":")[0]
        if self._running is None or self._running[0] != name:
            self._end()
            self._running = (name, self.seconds())
        self.announce(stage)

    def stop(self) -> tuple[StageTime, ...]:
        """The last stage is over; all of them in order."""
        self._end()
        return tuple(self._done)

    def _end(self) -> None:
        if self._running is None:
            return
        stage, since = self._running
        time = StageTime(stage, self.seconds() - since, peak_memory())
        self._done.append(time)
        self._running = None
        if not self.quiet:
            log.info("stage", stage=stage, seconds=round(time.seconds, 3), peak_memory=time.peak_memory)


def peak_memory() -> int:
    """The most memory that this process has held so far, in bytes."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * _UNIT

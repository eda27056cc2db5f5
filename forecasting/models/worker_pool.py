"""Processes that fit one series at a time, and are ended when they take too long."""

import importlib
import os
import signal
import subprocess
import sys
import warnings
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection, Pipe, wait
from pathlib import Path
from time import monotonic
from types import TracebackType
from typing import Self

import numpy as np

from forecasting.arrays import Floats
from forecasting.months import Month

# A busy machine imports a model library in a quarter of this.
_SECONDS_TO_START = 120.0
# Beyond this many times the largest value seen, a forecast has run away.
_RUN_AWAY = 20.0
_READY = "ready"
_PROGRAM = (
    "import sys; from forecasting.models.worker_pool import work; "
    "work(int(sys.argv[1]), sys.argv[2], float(sys.argv[3]))"
)


@dataclass(frozen=True, eq=False)
class Fit:
    """A series as it was known `back` months before the end; `values` is all that was known."""

    series: int
    back: int
    first: Month
    values: Floats
    horizon: int


class WorkerPool:
    """Up to `workers` processes that import `module` and call its `forecast` for one fit after the other."""

    def __init__(self, module: str, seconds: float, workers: int) -> None:
        self._module = module
        self._seconds = seconds
        self._most = workers
        self._workers: list[_Worker] = []
        self._broken = ""

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        for worker in self._workers:
            worker.end()
        self._workers.clear()

    def run(self, fits: Iterable[Fit]) -> Iterator[tuple[Fit, Floats | str]]:
        """Each fit with its forecast, shape (horizon,), or with what went wrong, as they finish."""
        queue = deque(fits)
        while queue or any(worker.fit for worker in self._workers):
            if self._broken:
                yield from ((fit, self._broken) for fit in queue)
                queue.clear()
            self._hand_out(queue)
            yield from self._collect()

    def _hand_out(self, queue: deque[Fit]) -> None:
        """Fits to those who wait; new workers for the fits that are left."""
        for worker in self._workers:
            if queue and worker.ready and worker.fit is None:
                worker.begin(queue.popleft())
        starting = sum(not worker.ready for worker in self._workers)
        for _ in range(min(self._most - len(self._workers), len(queue) - starting)):
            self._workers.append(_Worker(self._module, self._seconds))

    def _collect(self) -> Iterator[tuple[Fit, Floats | str]]:
        """Wait until some worker is ready, answers, dies or has had its time."""
        active = [worker for worker in self._workers if worker.fit or not worker.ready]
        if not active:
            return
        left = min(worker.deadline for worker in active) - monotonic()
        heard = wait([worker.connection for worker in active], max(left, 0.0))
        for worker in active:
            if worker.connection in heard:
                answer = worker.hear()
            elif worker.deadline <= monotonic():
                worker.end()
                answer = f"took longer than {self._seconds if worker.fit else _SECONDS_TO_START:g} s"
            else:
                continue
            if worker.ended:
                self._workers.remove(worker)
            if worker.fit:
                yield worker.fit, answer
                worker.fit = None
            elif not worker.ready:
                self._broken = f"{answer}"


class _Worker:
    """The near end of one process."""

    def __init__(self, module: str, seconds: float) -> None:
        self.connection, far = Pipe()
        self.fit: Fit | None = None
        self.ready = False
        self.ended = False
        self._seconds = seconds
        self.deadline = monotonic() + _SECONDS_TO_START
        # A forked copy of a process with threads can lock up, and what multiprocessing spawns runs the
        # caller's script once more; a program of its own does neither.
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", "-c", _PROGRAM, str(far.fileno()), module, str(seconds)],
            pass_fds=[far.fileno()],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(str(Path(place).resolve()) for place in sys.path),
            },
            stdin=subprocess.DEVNULL,
            start_new_session=True,  # a group of its own, to be ended as one
        )
        far.close()

    def begin(self, fit: Fit) -> None:
        self.fit = fit
        self.deadline = monotonic() + self._seconds
        with suppress(OSError):  # of a worker that died: hearing from it will tell
            self.connection.send((fit.values, fit.first, fit.horizon))

    def hear(self) -> Floats | str:
        """What the worker says: that it is ready, a forecast, or what went wrong."""
        try:
            said: Floats | str = self.connection.recv()
        except (EOFError, OSError):
            self.end()
            return "failed: its process died"
        self.ready = self.ready or (isinstance(said, str) and said == _READY)
        return said

    def end(self) -> None:
        """Kill the process and those that it started: Prophet fits in one of its own."""
        with suppress(ProcessLookupError):
            os.killpg(self._process.pid, signal.SIGKILL)
        self._process.wait()
        self.connection.close()
        self.ended = True


def work(descriptor: int, module: str, seconds: float) -> None:
    """What runs in the process: import the model, then answer until nobody asks any more."""
    connection = Connection(descriptor)
    try:
        forecast: Callable[[Floats, Month, int], Floats] = importlib.import_module(module).forecast
    except Exception as error:  # noqa: BLE001  # whatever is wrong with a library, the run goes on without it
        connection.send(_reason(error))
        return
    warnings.simplefilter("ignore")  # after the import: statsmodels sets filters of its own
    connection.send(_READY)
    with suppress(EOFError, OSError):
        while True:
            values, first, horizon = connection.recv()
            # Should the one who asked be gone, nobody else would end a fit that hangs.
            signal.setitimer(signal.ITIMER_REAL, 2 * seconds + 1)
            try:
                ahead = forecast(values, first, horizon)
            except Exception as error:  # noqa: BLE001  # one series must not end the run
                connection.send(_reason(error))
            else:
                connection.send(_checked(ahead, values))
            signal.setitimer(signal.ITIMER_REAL, 0)


def _checked(ahead: Floats, values: Floats) -> Floats | str:
    if not np.isfinite(ahead).all():
        return "failed: its forecast is not a number"
    if np.abs(ahead).max() > _RUN_AWAY * np.abs(values).max():
        return "failed: its forecast ran away"
    return ahead


def _reason(error: Exception) -> str:
    text = (str(error).strip() or type(error).__name__).splitlines()[0]
    return f"failed: {text.rstrip('.')}"

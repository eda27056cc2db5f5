"""Processes that forecast what callers bring: the service holds no model library, and outlives them.

What passes between is text and numbers (`tonnage.frames`), never an object.
"""

import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import asdict
from pathlib import Path
from queue import Empty, LifoQueue
from select import select
from threading import BoundedSemaphore, Lock, Thread
from time import monotonic

from app.errors import PredictionTooLong, PredictorBusy, PredictorLost, PredictorStarting
from app.prediction import PredictQuestion
from app.refusals import BadHistory
from tonnage.frames import receive, send
from tonnage.progress import log

PROCESSES, WAITING, SECONDS = 2, 8, 60.0

_SECONDS_TO_START, _SECONDS_TO_SAY_SO = 300.0, 5.0
_PROGRAM = "import sys; from tonnage.predicting import work; work(int(sys.argv[1]))"


class ProcessPredictor:
    """Up to `processes` processes, of which the second is started when the first is busy.

    A question that has no answer after `seconds`, waiting included, is given up and its process ended; so
    is what lost its process. The next question gets a new one.
    """

    def __init__(self, processes: int = PROCESSES, waiting: int = WAITING, seconds: float = SECONDS) -> None:
        self._seconds = seconds
        self._processes = processes
        self._room = BoundedSemaphore(processes + waiting)
        self._lock = Lock()
        self._inside = 0
        self._alive: set[_Process] = set()
        # The one that was used last, which is warm, is taken first.
        self._idle: LifoQueue[_Process | None] = LifoQueue()
        for _ in range(processes):
            self._idle.put(None)
        self._closed = False

    def __call__(self, question: PredictQuestion) -> bytes:
        """The answer to a question."""
        if self._closed or not self._room.acquire(blocking=False):
            raise PredictorBusy
        deadline = monotonic() + self._seconds
        with self._lock:
            self._inside += 1
        try:
            return self._ask(question, deadline)
        finally:
            with self._lock:
                self._inside -= 1
            self._room.release()

    @property
    def waiting(self) -> int:
        return max(self._inside - self.busy, 0)

    @property
    def busy(self) -> int:
        return self._processes - self._idle.qsize()

    @property
    def pids(self) -> list[int]:
        """The processes that there are."""
        with self._lock:
            return [process.pid for process in self._alive]

    def warm(self) -> None:
        """Start the first process, in the background: it takes seconds that nobody should wait for."""
        Thread(target=self._warm, name="predictor", daemon=True).start()

    def close(self) -> None:
        """End all processes, and take nothing more; who waits for an answer is told so."""
        self._closed = True
        with self._lock:
            ending = list(self._alive)
        for process in ending:
            self._end(process)

    def _warm(self) -> None:
        with suppress(Empty, PredictorStarting, PredictorLost):
            self._with_process(monotonic() + _SECONDS_TO_START, None)

    def _ask(self, question: PredictQuestion, deadline: float) -> bytes:
        try:
            words, content = self._with_process(deadline, question)
        except Empty:
            raise PredictorBusy from None
        if "refused" in words:
            raise BadHistory(str(words["refused"]))
        if "failed" in words:
            raise RuntimeError("a forecast failed in its process, which has told why in the log")
        return content

    def _with_process(
        self, deadline: float, question: PredictQuestion | None
    ) -> tuple[Mapping[str, object], bytes]:
        """Have a process answer; without a question, have it ready."""
        process = self._idle.get(timeout=max(deadline - monotonic(), 0))
        try:
            if process is None or process.is_dead:
                process = self._replace(process)
            if not process.is_ready(deadline):
                raise PredictorStarting
            return ({}, b"") if question is None else process.ask(question, deadline)
        except TimeoutError:
            self._end(process)
            process = None
            raise PredictionTooLong(self._seconds) from None
        except (EOFError, OSError) as error:
            if not self._closed:  # else it is we who ended it
                log.error("a forecast lost its process", why=repr(error))
            self._end(process)
            process = None
            raise PredictorLost from error
        finally:
            self._idle.put(process)

    def _replace(self, dead: "_Process | None") -> "_Process":
        self._end(dead)
        with self._lock:
            if self._closed:
                raise EOFError
            process = _Process()
            self._alive.add(process)
        return process

    def _end(self, process: "_Process | None") -> None:
        if process is not None:
            process.end()
            with self._lock:
                self._alive.discard(process)


class _Process:
    """The near end of one process."""

    def __init__(self) -> None:
        self._line, far = socket.socketpair()
        self._ready = False
        self._ending = Lock()
        self._process = subprocess.Popen(  # noqa: S603  # our own program
            [sys.executable, "-P", "-c", _PROGRAM, str(far.fileno())],
            pass_fds=[far.fileno()],
            env={
                **os.environ,
                "PYTHONPATH": os.pathsep.join(str(Path(place).resolve()) for place in sys.path),
            },
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            start_new_session=True,  # a group of its own, to be ended as one, and not by Ctrl-C
        )
        far.close()

    @property
    def pid(self) -> int:
        return self._process.pid

    @property
    def is_dead(self) -> bool:
        """Whether it has ended; one that waits says nothing, so what is to be heard is its end."""
        return self._process.poll() is not None or (self._ready and self._hears(0))

    def is_ready(self, deadline: float) -> bool:
        """Whether it has imported and compiled what it needs, by a moment.

        One that is not may go on: the first start on a machine compiles for a minute, and keeps that.
        """
        if not self._ready:
            if not self._hears(max(deadline - monotonic(), 0)):
                return False
            receive(self._line, monotonic() + _SECONDS_TO_SAY_SO)
            self._ready = True
        return True

    def ask(self, question: PredictQuestion, deadline: float) -> tuple[Mapping[str, object], bytes]:
        """What it says to a question; raises `TimeoutError`, `EOFError` and `OSError`."""
        words = asdict(question)
        history = words.pop("history")
        send(self._line, words, history, deadline)
        return receive(self._line, deadline)

    def _hears(self, seconds: float) -> bool:
        """Whether there is something to be heard, or its end, within so many seconds."""
        try:
            return bool(select([self._line], [], [], seconds)[0])
        except ValueError:  # ended by another thread
            raise EOFError from None

    def end(self) -> None:
        """End it, and what it has started."""
        with self._ending:
            if self._process.returncode is None:
                with suppress(ProcessLookupError):
                    os.killpg(self._process.pid, signal.SIGKILL)
                self._process.wait()
            self._line.close()

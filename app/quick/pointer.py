"""Which run is shown, as of a moment after the question came."""

import asyncio
from collections import OrderedDict

from app.store.lines import Lines
from app.store.one_node import current_id, shown_run
from app.store.selection import PublishedRun

_RUNS_REMEMBERED = 16


class Pointer:
    """Reads the pointer for all who ask at the same time, and never answers from an earlier reading.

    Who asks while a reading is under way waits for the next one: a reading that began before the question
    might miss what was published in between. So what is published is seen by every question that comes
    after, and a hundred callers cost one statement. What a run is does not change and is read once.
    """

    def __init__(self, lines: Lines) -> None:
        self._lines = lines
        self._runs: OrderedDict[str, PublishedRun | None] = OrderedDict()
        self._waiting: list[asyncio.Future[PublishedRun | None]] = []
        self._reading: asyncio.Task[None] | None = None

    async def current(self) -> PublishedRun | None:
        """The run that is shown, None before the first; raises what `Lines.ask` does."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[PublishedRun | None] = loop.create_future()
        self._waiting.append(future)
        if self._reading is None or self._reading.get_loop() is not loop:
            self._reading = loop.create_task(self._read_on())
        return await future

    async def _read_on(self) -> None:
        """Read for those who wait, again and again until nobody does."""
        try:
            while self._waiting:
                waiting, self._waiting = self._waiting, []
                try:
                    run = await self._read()
                except Exception as error:  # noqa: BLE001  # it is theirs who asked
                    for each in waiting:
                        if not each.done():
                            each.set_exception(error)
                else:
                    for each in waiting:
                        if not each.done():
                            each.set_result(run)
        finally:
            self._reading = None

    async def _read(self) -> PublishedRun | None:
        run_id = await current_id(self._lines)
        if run_id is None:
            return None
        if run_id not in self._runs:
            self._runs[run_id] = await shown_run(self._lines, run_id)
            if len(self._runs) > _RUNS_REMEMBERED:
                self._runs.popitem(last=False)
        return self._runs[run_id]

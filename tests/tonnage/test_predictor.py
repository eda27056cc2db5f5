"""Histories forecast in processes of their own: the same numbers, and what happens when one is in trouble."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from structlog.testing import capture_logs

from app.errors import PredictionTooLong, PredictorBusy, PredictorLost, PredictorStarting
from app.prediction import PredictQuestion
from app.refusals import BadHistory
from tonnage.cli import main
from tonnage.predictor import ProcessPredictor


def history(series: int = 6, months: int = 30) -> bytes:
    random = np.random.default_rng(3)
    rows = ["customer,material,month,quantity"]
    for each in range(series):
        for month in range(each % 4, months):
            if random.random() < 0.8:
                day = f"{2023 + month // 12}-{month % 12 + 1:02d}"
                rows.append(f'"K {each // 2}",M{each},{day},{random.gamma(2, 10):.3f}')
    return "\n".join(rows).encode()


QUESTION = PredictQuestion(
    history(),
    ("customer", "material"),
    "month",
    "quantity",
    ("total", "customer", "customer,material"),
    3,
    (0.9, 0.1),
    None,
    csv=True,
)


@pytest.fixture(scope="module")
def predictor() -> Iterator[ProcessPredictor]:
    predictor = ProcessPredictor(processes=1, waiting=1, seconds=300)
    yield predictor
    predictor.close()


def eventually(what: Callable[[], bool]) -> None:
    """Wait for what another thread or process does."""
    late = threading.Event()
    timer = threading.Timer(60, late.set)
    timer.start()
    while not what():
        assert not late.is_set()
        os.sched_yield()
    timer.cancel()


def test_the_bytes_are_those_of_tonnage_forecast(predictor: ProcessPredictor, tmp_path: Path) -> None:
    file, output = tmp_path / "history.csv", tmp_path / "forecast.csv"
    file.write_bytes(QUESTION.history)
    asked = ["--keys", "customer,material", "--levels", "total;customer;customer,material", "--horizon", "3"]
    assert main(["forecast", str(file), *asked, "--quantiles", "0.9,0.1", "--output", str(output)]) == 0
    assert predictor(QUESTION) == output.read_bytes()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"history": b""}, "history: it cannot be read as CSV"),
        ({"history": b"customer,material,month,quantity\n"}, "history: it has no rows"),
        ({"history": b"customer,month,quantity\na,2026-01,1\n"}, "history: it has no column 'material'"),
        (
            {"history": history() + b"\nK,M,2026-13,1\nK,M,2026-14,1"},
            "month '2026-13' is not a month; write YYYY-MM or a date (and 1 more rows like it)",
        ),
        ({"history": history() + b"\nK,M,2026-01,viel"}, "quantity 'viel' is not a number"),
        ({"history": history() + b"\n,M,2026-01,1"}, "customer None is empty"),
        ({"history": b"customer,material,month,quantity\na,b,2026-01,1\n"}, "history covers 1 month; "),
        ({"history": history(1100, 5), "levels": ("total",)}, "series; send at most 1,000"),
        (
            {"history": history() + b"\nK,M,1901-01,1"},
            "from 1901-01 to 2025-06; send at most 600 months",
        ),
        ({"levels": ("plant",)}, "plant"),
        ({"levels": ("total",) * 17}, "17 levels"),
        ({"keys": ("customer", "customer")}, "named twice"),
        ({"recipe": "/etc/passwd"}, "there is no recipe '/etc/passwd'"),
        ({"recipe": "recipes.toml:theta"}, "there is no recipe"),
        ({"probabilities": (0.0,)}, "quantiles must lie between 0 and 1"),
    ],
)
def test_what_is_no_history_is_named(
    predictor: ProcessPredictor, changes: dict[str, object], said: str
) -> None:
    pids = predictor.pids
    with pytest.raises(BadHistory) as refused:
        predictor(replace(QUESTION, **changes))  # type: ignore[arg-type]  # changes are of many types
    assert said in refused.value.detail
    assert pids in ([], predictor.pids), "the same process goes on"


def test_one_that_is_killed_is_replaced(predictor: ProcessPredictor) -> None:
    answer = predictor(QUESTION)
    (pid,) = predictor.pids
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(1) as pool:
        lost = pool.submit(predictor, QUESTION)
        eventually(lambda: predictor.busy == 1)
        os.kill(pid, signal.SIGKILL)
        with pytest.raises(PredictorLost):
            lost.result()
    assert predictor.pids == []
    assert predictor(QUESTION) == answer
    assert predictor.pids != [pid]


def test_one_that_died_while_nobody_asked_is_replaced_unseen(predictor: ProcessPredictor) -> None:
    answer = predictor(QUESTION)
    (pid,) = predictor.pids
    os.kill(pid, signal.SIGKILL)
    eventually(lambda: os.waitid(os.P_PID, pid, os.WEXITED | os.WNOHANG | os.WNOWAIT) is not None)
    assert predictor(QUESTION) == answer


def test_beyond_those_that_may_wait_all_are_refused(predictor: ProcessPredictor) -> None:
    answer = predictor(QUESTION)
    (pid,) = predictor.pids
    os.kill(pid, signal.SIGSTOP)
    with ThreadPoolExecutor(2) as pool:
        first = pool.submit(predictor, QUESTION)
        eventually(lambda: predictor.busy == 1)
        second = pool.submit(predictor, QUESTION)
        eventually(lambda: predictor.waiting == 1)
        with pytest.raises(PredictorBusy):
            predictor(QUESTION)
        os.kill(pid, signal.SIGCONT)
        assert first.result() == second.result() == answer
    assert (predictor.busy, predictor.waiting) == (0, 0)


def test_what_takes_too_long_is_given_up_and_its_process_ended(predictor: ProcessPredictor) -> None:
    answer = predictor(QUESTION)
    (pid,) = predictor.pids
    os.kill(pid, signal.SIGSTOP)
    predictor._seconds = 0.2
    with pytest.raises(PredictionTooLong):
        predictor(QUESTION)
    with pytest.raises(ProcessLookupError):
        os.kill(pid, 0)
    with pytest.raises(PredictorStarting):  # a new one takes longer, and may
        predictor(QUESTION)
    (pid,) = predictor.pids
    predictor._seconds = 300
    assert predictor(QUESTION) == answer
    assert predictor.pids == [pid]


def test_the_second_is_started_when_the_first_is_busy() -> None:
    predictor = ProcessPredictor(processes=2, waiting=0, seconds=300)
    try:
        answer = predictor(QUESTION)
        assert predictor(QUESTION) == answer
        (pid,) = predictor.pids
        os.kill(pid, signal.SIGSTOP)
        with ThreadPoolExecutor(1) as pool:
            first = pool.submit(predictor, QUESTION)
            eventually(lambda: predictor.busy == 1)
            assert predictor(QUESTION) == answer
            assert len(predictor.pids) == 2
            os.kill(pid, signal.SIGCONT)
            assert first.result() == answer
    finally:
        predictor.close()
    assert predictor.pids == []
    with pytest.raises(PredictorBusy):
        predictor(QUESTION)


def test_the_process_ends_with_the_service() -> None:
    code = """
import sys
from tonnage.predictor import ProcessPredictor
predictor = ProcessPredictor(processes=1)
predictor.warm()
while not predictor.pids: pass
print(predictor.pids[0], flush=True)
sys.stdin.readline()
"""
    program = subprocess.Popen(
        [sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True
    )
    assert program.stdout is not None
    pid = int(program.stdout.readline())
    program.kill()
    program.communicate()
    eventually(lambda: not Path(f"/proc/{pid}").exists() or _is_gone(pid))


def test_one_that_is_closed_while_it_starts_is_not_lost() -> None:
    predictor = ProcessPredictor(processes=1)
    with capture_logs() as logs:
        predictor.warm()
        (warming,) = [thread for thread in threading.enumerate() if thread.name == "predictor"]
        eventually(lambda: bool(predictor.pids))
        predictor.close()
        warming.join()
    assert logs == []
    assert predictor.pids == []


def _is_gone(pid: int) -> bool:
    """Whether nobody is left but the entry that a parent without interest never takes away."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] == "Z"

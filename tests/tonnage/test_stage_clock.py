"""Stages are timed by the clock that is given."""

from structlog.testing import capture_logs

from tonnage.stage_clock import StageClock, peak_memory


def test_each_stage_ends_when_the_next_begins() -> None:
    moments, heard = iter([0.0, 2.5, 2.5, 3.0]), []
    with capture_logs() as logs:
        clock = StageClock(heard.append, lambda: next(moments))
        clock.begin("snapshot")
        clock.begin("fit")
        found = clock.stop()
    assert heard == ["snapshot", "fit"]
    assert [(each.stage, each.seconds) for each in found] == [("snapshot", 2.5), ("fit", 0.5)]
    assert all(1_000_000 < each.peak_memory <= peak_memory() for each in found)
    assert [(each["event"], each["stage"], each["seconds"]) for each in logs] == [
        ("stage", "snapshot", 2.5),
        ("stage", "fit", 0.5),
    ]
    assert clock.stop() == found


def test_a_progress_bar_is_left_alone() -> None:
    with capture_logs() as logs:
        clock = StageClock(lambda stage: None, lambda: 0.0, quiet=True)
        clock.begin("fit")
        clock.stop()
    assert logs == []


def test_nothing_ran() -> None:
    assert StageClock(lambda stage: None, lambda: 0.0).stop() == ()

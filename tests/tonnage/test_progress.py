"""A bar advances with stages, not with what happens within them."""

from tonnage.progress import stages_over


def test_the_place_within_a_stage_does_not_advance_the_bar() -> None:
    over = stages_over(3)
    told = (
        "snapshot",
        "contest",
        "contest: theta from 2025-06, 1 of 2",
        "contest: theta from 2025-07, 2 of 2",
    )
    assert [over(stage) for stage in told] == [0, 1, 1, 1]
    assert [over(stage) for stage in ("fit", "publish", "one too many")] == [2, 3, 3]

"""What a reader of a profile should know before the details."""

import polars as pl

from ingestion.outliers import CUT
from ingestion.profile import Profile
from ingestion.profile_leaves import YOUNG
from tonnage.page_parts import counted, name, share

_MOST_GAPS = 5
_EVEN_LAST_DAY = 12 / 365.25
_BATCHES = 3 * _EVEN_LAST_DAY
_FEWEST_LINES = 100


def findings(profile: Profile) -> list[str]:
    """Each one sentence of HTML."""
    known = profile.headline
    if not known.lines:
        return ["The snapshot has no line that counts: there is nothing to forecast from."]
    return [*_missing(profile), *_faulty(profile), *_odd(profile), *_posted(profile), _leaves(profile)]


def _missing(profile: Profile) -> list[str]:
    known = profile.headline
    found = []
    if known.last is not None and known.last < profile.month:
        found.append(
            f"No line is dated in {profile.month}, the snapshot's own month; the newest is {known.newest}."
        )
    for source, first, last, months in profile.gaps.head(_MOST_GAPS).rows():
        run = first if months == 1 else f"{first} to {last}, {counted(months, 'month')}"
        found.append(f"Source {name(source)} has no line in {run}.")
    if profile.gaps.height > _MOST_GAPS:
        found.append(f"{counted(profile.gaps.height - _MOST_GAPS, 'more gap')}: see the calendar.")
    silent = profile.sources.filter(pl.col("silent") > 0)
    for source, last, months in silent["source", "last", "silent"].rows():
        found.append(f"Source {name(source)} is silent after {last}, for {counted(months, 'month')}.")
    return found


def _faulty(profile: Profile) -> list[str]:
    known = profile.headline
    if not known.faulty:
        return []
    part = share(known.faulty, known.lines + known.faulty)
    return [f"Set aside as faulty: {counted(known.faulty, 'line')}, {part} of those not cancelled."]


def _odd(profile: Profile) -> list[str]:
    months, lines = profile.outlying_months.height, profile.outlying_count
    if not months and not lines:
        return []
    return [
        f"Beyond a modified z-score of {CUT}: {counted(months, 'month')} of sources, "
        f"{counted(lines, 'line')}."
    ]


def _posted(profile: Profile) -> list[str]:
    return [
        f"{share(last, lines)} of the lines of {name(source)} are dated on the last day of a month, where "
        f"even dates give {_EVEN_LAST_DAY:.1%}: they look posted in batches."
        for source, lines, last in profile.posting["source", "lines", "last_day"].rows()
        if lines >= _FEWEST_LINES and last / lines > _BATCHES
    ]


def _leaves(profile: Profile) -> str:
    leaves = profile.headline.leaves
    classes = dict(profile.classes["class", "leaves"].rows())
    grown = int(profile.ages.filter(from_months=YOUNG)["at_least"].item())
    uneven = classes["intermittent"] + classes["lumpy"]
    return (
        f"{share(uneven, leaves)} of the leaves are intermittent or lumpy, "
        f"{share(leaves - grown, leaves)} are younger than {YOUNG} months."
    )

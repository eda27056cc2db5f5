"""Questions that cannot be asked like this, by what is wrong with them.

BadParameter          a value that does not read as what it should be
UnknownParameter      a parameter that the resource does not have
RepeatedParameter     a parameter given more than once
UnknownLevel          a level that the run does not hold
UnknownKey            a filter on what is neither a key nor an attribute of the run
KeyOutsideLevel       a filter on a key or attribute that the level does not name
UnknownQuantile       a quantile that the run does not hold
OutsideRun            months before or after those of the run
NothingInCommon       two runs that have no month or no level in common
AmbiguousRun          more than one run has an id that begins so
BadNode               a text that does not name a node
TwoRunsNamed          a run and a moment, each of which names a run
NotDividedBy          a key or attribute by which no level of the run divides a node
BadCursor             a cursor that this service did not give for this question
BadHistory            a history that cannot be forecast
TooLarge              more than the service takes at once
UnknownContent        a body in a format that the service does not read
NotAcceptable         a format that the service does not speak
IdempotencyKeyReused  a key that the asker has used for another job
KeyNameTaken          an API key called like one that is still good
BadKeyWish            an API key that cannot be made like this
TooManyWaiting        as many jobs of an asker wait as may
UrlTooLong            a longer URL than any question needs
HeadTooLarge          larger headers than any question needs
BodyTooLarge          a larger body than any question needs
NotForExcel           more than a sheet or a cell of Excel holds
NotToBeRunAgain       a month that the schedule has not ended in vain, or that a newer one followed
"""

from collections.abc import Sequence

from app.errors import Refused


class BadParameter(Refused):
    """A value that does not read as what it should be."""


class UnknownParameter(Refused):
    """A parameter that the resource does not have."""

    def __init__(self, name: str, value: str, known: Sequence[str]) -> None:
        remedy = f"this resource takes {', '.join(known)}" if known else "this resource takes none"
        super().__init__(f"there is no parameter {name!r}", remedy, field=name, value=value)


class RepeatedParameter(Refused):
    """A parameter given more than once, so that which value counts would be a guess."""

    def __init__(self, name: str, value: str) -> None:
        super().__init__(f"{name!r} is given more than once", "give it once", field=name, value=value)


class UnknownLevel(Refused):
    """A level that the run does not hold."""

    def __init__(self, level: str, levels: Sequence[str]) -> None:
        self.levels = tuple(levels)
        remedy = f"ask for one of: {'; '.join(levels)}"
        super().__init__(f"the run has no level {level!r}", remedy, field="level", value=level)


class UnknownKey(Refused):
    """A filter on what is neither a key nor an attribute of the run."""

    def __init__(self, key: str, value: str, known: Sequence[str]) -> None:
        remedy = f"filter by {', '.join(known)}"
        super().__init__(f"the run has no key or attribute {key!r}", remedy, field=key, value=value)


class KeyOutsideLevel(Refused):
    """A filter on a key or attribute that the level does not name."""

    def __init__(self, key: str, value: str, level: str, levels: Sequence[str]) -> None:
        self.level = level
        self.levels = tuple(levels)
        detail = f"level {level!r} does not name {key}, so it cannot be filtered by {key}"
        named = f"ask for a level that names it ({'; '.join(levels)})" if levels else "no level names it"
        super().__init__(detail, f"{named} or drop the filter", field=key, value=value)


class UnknownQuantile(Refused):
    """A quantile that the run does not hold."""

    def __init__(self, probability: float, held: Sequence[float]) -> None:
        self.held = tuple(held)
        remedy = f"ask among: {','.join(map(str, held))}" if held else "leave quantiles out"
        super().__init__(
            f"the run holds no quantile {probability}",
            remedy,
            field="quantiles",
            value=str(probability),
        )


class OutsideRun(Refused):
    """Months before or after those of the run."""

    def __init__(self, field: str, month: str, first: str, last: str) -> None:
        detail = f"the run forecasts {first} to {last}"
        super().__init__(detail, "ask for months among these", field=field, value=month)


class NothingInCommon(Refused):
    """Two runs that have no month or no level in common."""

    def __init__(self, run: str, what: str) -> None:
        super().__init__(
            f"the runs cannot be compared: {what}", "choose runs that are nearer", field="to", value=run
        )


class AmbiguousRun(Refused):
    """More than one run has an id that begins so."""

    def __init__(self, run: str, some: Sequence[str]) -> None:
        super().__init__(
            f"several runs begin with {run!r}: {', '.join(some)}",
            "write more of the id",
            field="run",
            value=run,
        )


class BadNode(Refused):
    """A text that does not name a node."""

    def __init__(self, text: str) -> None:
        super().__init__(
            "this does not name a node",
            "write NAME=VALUE, joined by commas, for example organization=NORD,material=HEB~20200, or total; "
            "answers of /v1/nodes name theirs",
            field="node",
            value=text,
        )


class NotDividedBy(Refused):
    """A key or attribute by which no level of the run divides a node."""

    def __init__(self, node: str, by: str, possible: Sequence[str]) -> None:
        remedy = f"divide it by {', '.join(possible)}" if possible else "it is one of the finest nodes"
        super().__init__(f"no level divides node {node!r} by {by!r}", remedy, field="by", value=by)


class TwoRunsNamed(Refused):
    """A run and a moment, each of which names a run."""

    def __init__(self, moment: str) -> None:
        super().__init__("run and as_of both say which run", "give one of them", field="as_of", value=moment)


class BadCursor(Refused):
    """A cursor that this service did not give for this question."""

    def __init__(self, cursor: str) -> None:
        super().__init__(
            "the cursor was not given for this question",
            "ask again without cursor, then follow 'next' and change nothing but limit and format",
            field="cursor",
            value=cursor,
        )


class BadHistory(Refused):
    """A history that cannot be forecast."""

    def __init__(self, detail: str, *, field: str | None = None, value: str | None = None) -> None:
        super().__init__(detail, "correct it and ask again; nothing was stored", field=field, value=value)


class TooLarge(Refused):
    """More than the service takes at once."""

    def __init__(self, most: int) -> None:
        self.most = most
        super().__init__(
            f"the body has more than {most:,} bytes", "send fewer series, or use: tonnage forecast"
        )


class UnknownContent(Refused):
    """A body in a format that the service does not read."""

    def __init__(self, content_type: str, read: Sequence[str]) -> None:
        super().__init__(
            f"a body of type {content_type!r} is not read here",
            f"send one of: {', '.join(read)}",
            field="Content-Type",
            value=content_type,
        )


class NotAcceptable(Refused):
    """A format that the service does not speak."""

    def __init__(self, accept: str, offered: Sequence[str]) -> None:
        super().__init__(
            "no format in the Accept header is spoken here",
            f"accept one of: {', '.join(offered)}",
            field="Accept",
            value=accept,
        )


class IdempotencyKeyReused(Refused):
    """A key that the asker has used before, for another job."""

    def __init__(self, key: str, job: str) -> None:
        self.job = job
        super().__init__(
            f"the key {key!r} was used for job {job}, which is another one",
            "use a new key for each job",
            field="Idempotency-Key",
            value=key,
        )


class TooManyWaiting(Refused):
    """As many jobs of one asker wait as may."""

    def __init__(self, asked_by: str, most: int) -> None:
        self.most = most
        super().__init__(
            f"{most} jobs that {asked_by} asked for are waiting, and no more may",
            "wait until one has begun, or cancel one: POST /v1/jobs/{id}/cancel",
        )


class NotToBeRunAgain(Refused):
    """A month that the schedule has not ended in vain, or that a newer one has followed."""

    def __init__(self, month: str, status: str | None, *, followed: bool) -> None:
        self.status = status
        if followed:
            detail = f"a newer month than {month} is done, whose place it would take"
            remedy = f"if that is what you want, run: tonnage retrain --month {month}"
        else:
            detail = "has not come to it" if status is None else f"says that it is {status}"
            detail = f"{month} was neither refused nor given up: the schedule {detail}"
            remedy = "see: tonnage schedule"
        super().__init__(detail, remedy, field="month", value=month)


class KeyNameTaken(Refused):
    """An API key called like one that is still good."""

    def __init__(self, name: str) -> None:
        super().__init__(
            f"a key is called {name!r} already",
            f"take another name, or first: tonnage keys revoke {name}",
            field="name",
            value=name,
        )


class BadKeyWish(Refused):
    """An API key that cannot be made like this."""


class UrlTooLong(Refused):
    """A longer URL than any question needs."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the path and the query are longer than {most:,} bytes", "ask for less at once")


class HeadTooLarge(Refused):
    """Larger headers than any question needs."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the headers have more than {most:,} bytes", "send fewer or shorter ones")


class BodyTooLarge(Refused):
    """A larger body than any question needs."""

    def __init__(self, most: int) -> None:
        super().__init__(f"the body has more than {most:,} bytes", "send it in parts")


class NotForExcel(Refused):
    """More than a sheet or a cell of Excel holds."""

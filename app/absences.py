"""Questions that are fine, to which there is no answer.

NothingPublished  no run yet
UnknownRun        no run has this id
NeverShown        the run was recorded and never shown
NothingShownThen  no run was shown yet at that moment
UnknownNode       no node has this value of a key or attribute
NodeNotInRun      the run does not have the node
NothingOfYours    the run has no node that whoever asks may see
UnknownJob        no job has this id
UnknownApiKey     no API key that is good has this id or name
UnknownLogin      no login of PostgreSQL that may read schema mart is called so
NoMartGrant       the login sees nothing in schema mart
UnknownSnapshot   no run was made from this snapshot
UnknownEvent      no drift event has this id
NoHistory         the run did not keep what its nodes had bought
"""

from urllib.parse import quote

from app.errors import NotThere


class NothingPublished(NotThere):
    """No run has been published yet."""

    def __init__(self) -> None:
        super().__init__("nothing published yet", "run: tonnage retrain")


class UnknownRun(NotThere):
    """No run has this id."""

    def __init__(self, run: str) -> None:
        super().__init__(
            f"there is no run {run!r}", "see /v1/runs/current, or: tonnage runs list", field="run", value=run
        )


class NeverShown(NotThere):
    """The run was recorded and never shown."""

    def __init__(self, run: str) -> None:
        remedy = 'a refused run is shown by: tonnage retrain --month MONTH --accept "why"'
        super().__init__(
            f"run {run} was never shown, so there is no way back to it", remedy, field="run", value=run
        )


class NothingShownThen(NotThere):
    """No run was shown yet at that moment."""

    def __init__(self, moment: str, first: str | None) -> None:
        remedy = "run: tonnage retrain" if first is None else f"the first was shown at {first}"
        super().__init__(f"no run was shown at {moment}", remedy, field="as_of", value=moment)


class UnknownNode(NotThere):
    """No node of the level has this value of a key or attribute, or none has these."""

    def __init__(self, key: str, value: str, level: str, *others: str) -> None:
        self.level = level
        super().__init__(
            f"level {level!r} has no {key} {', '.join(map(repr, (value, *others)))}",
            f"see which there are: /v1/nodes?level={quote(level, safe=',')}",
            field=key,
            value=", ".join((value, *others)),
        )


class NodeNotInRun(NotThere):
    """The run does not have the node."""

    def __init__(self, node: str, run: str) -> None:
        super().__init__(
            f"run {run} has no node {node!r}",
            "search by a part of its name: /v1/nodes?search=",
            field="node",
            value=node,
        )


class NothingOfYours(NotThere):
    """The run has no node that whoever asks may see."""

    def __init__(self) -> None:
        super().__init__(
            "the run has nothing of your organizations", "ask whoever made your key which they should be"
        )


class UnknownJob(NotThere):
    """No job has this id."""

    def __init__(self, job: str) -> None:
        super().__init__(f"there is no job {job!r}", "see /v1/jobs", field="id", value=job)


class UnknownApiKey(NotThere):
    """No API key that is good has this id or name."""

    def __init__(self, key: str) -> None:
        super().__init__(f"there is no key {key!r}, or it was revoked", "see: tonnage keys list", value=key)


class UnknownLogin(NotThere):
    """No login of PostgreSQL that may read schema mart is called so."""

    def __init__(self, login: str) -> None:
        super().__init__(
            f"no login of the role tonnage_mart is called {login!r}",
            "let an administrator of the database run, for a new one: create role NAME login password '…' "
            "in role tonnage_mart; for one that is there: grant tonnage_mart to NAME",
            field="login",
            value=login,
        )


class NoMartGrant(NotThere):
    """The login sees nothing in schema mart."""

    def __init__(self, login: str) -> None:
        super().__init__(
            f"the login {login!r} sees nothing already", "see: tonnage mart list", field="login", value=login
        )


class UnknownSnapshot(NotThere):
    """No run was made from this snapshot."""

    def __init__(self, snapshot: str) -> None:
        super().__init__(
            f"no run was made from a snapshot {snapshot!r}",
            "see /v1/snapshots",
            field="snapshot",
            value=snapshot,
        )


class UnknownEvent(NotThere):
    """No drift event has this id."""

    def __init__(self, event: str) -> None:
        super().__init__(f"there is no drift event {event!r}", "see /v1/drift", field="event", value=event)


class NoHistory(NotThere):
    """The run did not keep what its nodes had bought."""

    def __init__(self, run: str, month: str) -> None:
        super().__init__(
            f"run {run} has no history of this node in {month}",
            "ask for a month that it forecasts, or one between the first of its history and its origin",
            field="month",
            value=month,
        )

"""Who asked to change or to take out what, as a chain: whoever changes one entry breaks it at that place.

Each entry holds the SHA-256 of the one before and of itself, so no entry can be changed, left out or put in
without changing all that follow. Cutting off the end is seen by whoever has kept the number and hash of an
entry (`Anchor`).
"""

import datetime as dt
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256

import sqlalchemy as sa
from sqlalchemy import Connection, Row, func, select

from app.store import tables

type Detail = str | int | bool | None

BEGINNING = "0" * 64
"""What stands in the first entry for the hash of the one before."""

_LOCK = 0x746F6E_07  # any number, the same in every process that appends
_LONGEST = 1000
_AT_ONCE = 10_000
_ROW = tables.audit.c
# What is hashed is what is stored; many entries in one value cost a quarter of what rows one by one do.
_APPEND = sa.text("insert into audit select * from json_populate_recordset(null::audit, cast(:rows as json))")
_CANONICAL = json.JSONEncoder(ensure_ascii=False, sort_keys=True, separators=(",", ":"))


@dataclass(frozen=True)
class Entry:
    """What somebody asked for: who, from where, what, about what, and what came of it.

    `caller` is a name and `key` the id of the key that was shown. `action` is method and route, or the
    command; `subject` is what it is about. Details are words, whole numbers and truth values, so that they
    are hashed alike whoever reads them.
    """

    caller: str
    action: str
    outcome: str
    subject: str | None = None
    key: str | None = None
    address: str | None = None
    details: Mapping[str, Detail] = field(default_factory=dict)


@dataclass(frozen=True)
class Link:
    """An entry as it stands in the chain; `at` is when it was written, by the database's clock."""

    number: int
    at: dt.datetime
    entry: Entry
    previous: str
    hash: str


@dataclass(frozen=True)
class Anchor:
    """An entry's number and hash, kept elsewhere: the chain up to it can be changed no more unseen."""

    number: int
    hash: str


@dataclass(frozen=True)
class Broken:
    """The first place at which the chain is not what was written."""

    number: int
    why: str


@dataclass(frozen=True)
class Checked:
    """How many entries hold, which is the last of them, and where the chain breaks, if it does."""

    entries: int
    last: Anchor | None
    broken: Broken | None


def record(connection: Connection, *entries: Entry) -> None:
    """Append entries to the trail, in the caller's transaction: what is undone leaves no entry.

    From here to the end of the transaction nobody else appends, so this belongs last in it. The transaction
    must be READ COMMITTED, as they are unless said otherwise: another one would not see what was appended
    meanwhile.
    """
    connection.execute(select(func.pg_advisory_xact_lock(_LOCK)))
    newest = select(_ROW.number, _ROW.hash).order_by(_ROW.number.desc()).limit(1).subquery()
    moment = select(func.clock_timestamp().label("at")).subquery()
    asked = select(moment.c.at, newest.c.number, newest.c.hash).select_from(
        moment.outerjoin(newest, sa.true())
    )
    at, number, previous = connection.execute(asked).one()
    number, previous = number or 0, previous or BEGINNING
    rows = []
    for entry in entries:
        number += 1
        content = _canonical(number, at, _storable(entry), previous)
        previous = _hash(content)
        rows.append(f'{content[:-1]},"hash":"{previous}"}}')
    if rows:
        connection.execute(_APPEND, {"rows": f"[{','.join(rows)}]"})


def link_hash(number: int, at: dt.datetime, entry: Entry, previous: str) -> str:
    """SHA-256 over canonical JSON: names sorted, no blanks, UTF-8, the moment in UTC with microseconds."""
    return _hash(_canonical(number, at, entry, previous))


def _canonical(number: int, at: dt.datetime, entry: Entry, previous: str) -> str:
    moment = at.astimezone(dt.UTC).isoformat(timespec="microseconds")
    return _CANONICAL.encode(vars(entry) | {"number": number, "at": moment, "previous": previous})


def _hash(content: str) -> str:
    return sha256(content.encode()).hexdigest()


def verify(connection: Connection, anchor: Anchor | None = None) -> Checked:
    """Walk the chain from its beginning, up to the first place where it breaks.

    With an anchor it also breaks where that entry is another, or is not there any more.
    """
    checked, previous = 0, BEGINNING
    for link in _walk(connection):
        why = _wrong(link, checked + 1, previous, anchor)
        if why is not None:
            return Checked(checked, _last(checked, previous), Broken(checked + 1, why))
        checked, previous = link.number, link.hash
    broken = None
    if anchor is not None and anchor.number > checked:
        broken = Broken(checked + 1, f"the trail ends here, entry {anchor.number} was there once")
    return Checked(checked, _last(checked, previous), broken)


def read_links(
    connection: Connection, most: int, before: int | None = None, caller: str | None = None
) -> list[Link]:
    """The newest entries, or the newest before a number, the newest first; of one caller, or of all."""
    question = select(tables.audit).order_by(_ROW.number.desc()).limit(most)
    if before is not None:
        question = question.where(_ROW.number < before)
    if caller is not None:
        question = question.where(_ROW.caller == caller)
    return [_link(row) for row in connection.execute(question)]


def _walk(connection: Connection) -> Iterator[Link]:
    """All links in order; never more than some of them in memory."""
    after = None
    while True:
        question = select(tables.audit).order_by(_ROW.number).limit(_AT_ONCE)
        rows = connection.execute(question if after is None else question.where(_ROW.number > after)).all()
        if not rows:
            return
        yield from map(_link, rows)
        after = rows[-1].number


def _wrong(link: Link, number: int, previous: str, anchor: Anchor | None) -> str | None:
    if link.number != number:
        return f"it is not there, the next is entry {link.number}"
    if link.previous != previous:
        return "it does not follow the one before"
    if link.hash != link_hash(link.number, link.at, link.entry, link.previous):
        return "it is not what was written"
    if anchor is not None and anchor.number == number and anchor.hash != link.hash:
        return "it is sound, and another than was there once"
    return None


def _last(number: int, own: str) -> Anchor | None:
    return Anchor(number, own) if number else None


def _storable(entry: Entry) -> Entry:
    """The entry without what PostgreSQL cannot hold, and without what is too long to be read."""
    texts = {
        name: _text(value) if isinstance(value, str) else value
        for name, value in vars(entry).items()
        if name != "details"
    }
    details = {
        _text(name): _text(value) if isinstance(value, str) else value
        for name, value in entry.details.items()
    }
    return Entry(**texts, details=details)


def _text(text: str) -> str:
    if text.isascii() and text.isprintable() and len(text) <= _LONGEST:
        return text  # as nearly all are
    sound = text.encode("utf-8", "backslashreplace").decode().replace("\0", "\\x00")
    return sound if len(sound) <= _LONGEST else f"{sound[: _LONGEST - 1]}…"


def _link(row: Row[tuple[object, ...]]) -> Link:
    facts = row._asdict()
    number, at, previous, own = (facts.pop(name) for name in ("number", "at", "previous", "hash"))
    return Link(number, at, Entry(**facts), previous, own)

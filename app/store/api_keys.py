"""API keys: who holds which, until when; of the secret only its hash is kept."""

import datetime as dt
from dataclasses import dataclass, field, fields

import sqlalchemy as sa
from sqlalchemy import Connection, Engine, Row
from sqlalchemy.exc import IntegrityError

from app.absences import UnknownApiKey
from app.refusals import KeyNameTaken
from app.store.access_tables import api_key
from app.store.session import connected

_KEY = api_key.c
# The database's clock decides, so that every replica says the same.
_NOW = sa.func.now()
_USE_UNNOTED = sa.func.coalesce(_KEY.last_used_at < _NOW - sa.text("interval '1 minute'"), True)


@dataclass(frozen=True)
class NewApiKey:
    """A key to be: `organizations` are those whose nodes its holder sees, None for all."""

    id: str
    secret_hash: bytes = field(repr=False)
    name: str
    role: str
    organizations: frozenset[str] | None
    expires_at: dt.datetime | None


@dataclass(frozen=True)
class ApiKey(NewApiKey):
    """A key as it is stored. `use_unnoted`: whether `last_used_at` is more than a minute old."""

    created_at: dt.datetime
    last_used_at: dt.datetime | None
    revoked_at: dt.datetime | None
    expired: bool
    use_unnoted: bool


def add_key(connection: Connection, key: NewApiKey) -> None:
    """Store a key; raises `KeyNameTaken` where a key that was not revoked is called the same."""
    values = {each.name: getattr(key, each.name) for each in fields(NewApiKey)}
    organizations = None if key.organizations is None else sorted(key.organizations)
    try:
        with connection.begin_nested():
            connection.execute(api_key.insert().values(values | {"organizations": organizations}))
    except IntegrityError as error:
        raise KeyNameTaken(key.name) from error


def find_key(engine: Engine, key_id: str) -> ApiKey | None:
    """The key with this id, whatever has become of it."""
    with connected(engine) as connection:
        found = connection.execute(_keys().where(_KEY.id == key_id)).one_or_none()
    return None if found is None else _key(found)


def list_keys(engine: Engine) -> list[ApiKey]:
    """All keys, the newest first."""
    with connected(engine) as connection:
        return [_key(row) for row in connection.execute(_keys().order_by(_KEY.created_at.desc(), _KEY.id))]


def note_use(engine: Engine, key_id: str) -> None:
    """Write down that a key was used just now, unless that was done within the last minute.

    Nobody waits for the disk: a use that is lost in a crash is no loss.
    """
    with connected(engine) as connection:
        connection.execute(sa.text("set local synchronous_commit = off"))
        connection.execute(api_key.update().where(_KEY.id == key_id, _USE_UNNOTED).values(last_used_at=_NOW))


def revoke_key(connection: Connection, id_or_name: str) -> str:
    """Make a key worthless; its id. Raises `UnknownApiKey` where none that is good has this id or name."""
    found = connection.scalar(
        api_key.update()
        .where(sa.or_(_KEY.id == id_or_name, _KEY.name == id_or_name), _KEY.revoked_at.is_(None))
        .values(revoked_at=_NOW)
        .returning(_KEY.id)
    )
    if found is None:
        raise UnknownApiKey(id_or_name)
    return str(found)


def _keys() -> sa.Select[tuple[object, ...]]:
    expired = sa.func.coalesce(_KEY.expires_at <= _NOW, False).label("expired")
    return sa.select(*api_key.c, expired, _USE_UNNOTED.label("use_unnoted"))


def _key(row: Row[tuple[object, ...]]) -> ApiKey:
    facts = row._asdict()
    if facts["organizations"] is not None:
        facts["organizations"] = frozenset(facts["organizations"])
    return ApiKey(**facts)

"""Keys and logins let in and shut out, and the entries in the audit trail that say so: both or neither."""

import os

from sqlalchemy import Connection

from app.access.grant import Wish, grant_key
from app.access.key import Key
from app.store.api_keys import revoke_key
from app.store.audit import record
from app.store.mart_grants import let_read, shut_out
from tonnage.by_hand import by_hand


def grant(connection: Connection, wish: Wish, action: str) -> Key:
    """Make a key; raises as `grant_key` does."""
    key = grant_key(connection, wish, os.urandom)
    entry = by_hand(
        action,
        "made",
        key.id,
        name=wish.name.strip(),
        role=wish.role,
        organizations=", ".join(sorted(wish.organizations)) if wish.organizations else "all",
        until="for ever" if wish.expires_at is None else wish.expires_at.isoformat(timespec="seconds"),
    )
    record(connection, entry)
    return key


def take_back(connection: Connection, id_or_name: str, action: str) -> str:
    """Revoke a key; its id. Raises `UnknownApiKey`."""
    key = revoke_key(connection, id_or_name)
    record(connection, by_hand(action, "revoked", key))
    return key


def let_in(connection: Connection, login: str, organizations: frozenset[str] | None, action: str) -> None:
    """Have a login read these organizations in schema mart, all with None; raises `UnknownLogin`."""
    let_read(connection, login, organizations)
    seen = "all" if organizations is None else ", ".join(sorted(organizations))
    record(connection, by_hand(action, "granted", login, organizations=seen))


def keep_out(connection: Connection, login: str, action: str) -> None:
    """Have a login read nothing in schema mart; raises `NoMartGrant`."""
    shut_out(connection, login)
    record(connection, by_hand(action, "revoked", login))

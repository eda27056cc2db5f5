"""Keys that people make and revoke, and the entries in the audit trail that say so: both or neither."""

import os

from sqlalchemy import Connection

from app.access.grant import Wish, grant_key
from app.access.key import Key
from app.store.api_keys import revoke_key
from app.store.audit import record
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

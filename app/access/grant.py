"""Makes API keys for those who are to ask."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection

from app.access.caller import Role
from app.access.key import Key, new_key
from app.refusals import BadKeyWish
from app.store.api_keys import NewApiKey, add_key

_LONGEST = 100


@dataclass(frozen=True)
class Wish:
    """Who a key is for, and what its holder may do and see; without organizations they see all."""

    name: str
    role: str
    organizations: Sequence[str] | None = None
    expires_at: datetime | None = None


def grant_key(connection: Connection, wish: Wish, random: Callable[[int], bytes]) -> Key:
    """Make a key; raises `BadKeyWish`, and `KeyNameTaken` where a good key is called the same."""
    name = wish.name.strip()
    # A colon is what names of token holders have, so that no key can be called like one.
    if not name or len(name) > _LONGEST or not name.isprintable() or ":" in name:
        raise BadKeyWish(
            f"a key cannot be called {wish.name!r}",
            f"use up to {_LONGEST} printable characters without a colon",
            field="name",
            value=wish.name,
        )
    roles = [role.name.lower() for role in Role]
    if wish.role not in roles:
        raise BadKeyWish(
            f"there is no role {wish.role!r}",
            f"take one of {', '.join(roles)}",
            field="role",
            value=wish.role,
        )
    if wish.organizations is not None and not all(wish.organizations):
        raise BadKeyWish(
            "an organization is empty",
            "name it, or leave the option out for all",
            field="organization",
            value="",
        )
    key = new_key(random)
    organizations = None if not wish.organizations else frozenset(wish.organizations)
    add_key(connection, NewApiKey(key.id, key.secret_hash, name, wish.role, organizations, wish.expires_at))
    return key

"""Whose rows a login of PostgreSQL sees in the star of schema `mart`."""

import datetime as dt
from dataclasses import dataclass

import sqlalchemy as sa
from sqlalchemy import Connection, Engine

from app.absences import NoMartGrant, UnknownLogin
from app.store.mart_tables import mart_grant
from app.store.session import connected

_GRANT = mart_grant.c
_MAY_READ = sa.text(
    "select exists (select from pg_roles where rolname = :login and rolcanlogin "
    "and pg_has_role(oid, 'tonnage_mart', 'member'))"
)


@dataclass(frozen=True)
class MartGrant:
    """A login and the organizations that it sees, None for all of them and what sums over them."""

    login: str
    organizations: frozenset[str] | None
    granted_at: dt.datetime


def let_read(connection: Connection, login: str, organizations: frozenset[str] | None) -> None:
    """Have a login see these organizations from now on, all with None, in the place of what it saw before.

    Raises `UnknownLogin` where no login of the role tonnage_mart is called so.
    """
    if not connection.scalar(_MAY_READ, {"login": login}):
        raise UnknownLogin(login)
    connection.execute(mart_grant.delete().where(_GRANT.login == login))
    rows = [None] if organizations is None else sorted(organizations)
    connection.execute(mart_grant.insert(), [{"login": login, "organization": row} for row in rows])


def shut_out(connection: Connection, login: str) -> None:
    """Have a login see nothing from now on; raises `NoMartGrant` where it saw nothing before."""
    taken = connection.execute(mart_grant.delete().where(_GRANT.login == login).returning(_GRANT.login))
    if not taken.all():
        raise NoMartGrant(login)


def list_grants(engine: Engine) -> list[MartGrant]:
    """Who sees what, by login."""
    all_ = sa.func.bool_or(_GRANT.organization.is_(None))
    question = sa.select(
        _GRANT.login, all_, sa.func.array_agg(_GRANT.organization), sa.func.max(_GRANT.granted_at)
    )
    with connected(engine) as connection:
        found = connection.execute(question.group_by(_GRANT.login).order_by(_GRANT.login))
        return [
            MartGrant(login, None if everything else frozenset(organizations), granted_at)
            for login, everything, organizations, granted_at in found
        ]

"""`tonnage mart` on a real database: who is let in, to what, and what the audit trail says of it."""

import re
import uuid
from collections.abc import Callable, Iterator

import pytest
from sqlalchemy import Engine

from app.store.audit import read_links
from app.store.engine import open_engine
from app.store.mart_grants import list_grants
from app.store.session import connected
from tonnage.cli import DONE, YOUR_MISTAKE, main


@pytest.fixture
def house(new_migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Engine:
    url = new_migrated()
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    return open_engine(url)


@pytest.fixture
def login(house: Engine) -> Iterator[str]:
    """A login as an administrator of the database makes it."""
    name = f"bi_{uuid.uuid4().hex}"
    with connected(house) as connection:
        connection.exec_driver_sql(f"create role {name} login password 'secret' in role tonnage_mart")
    yield name
    with connected(house) as connection:
        connection.exec_driver_sql(f"drop role {name}")


def seen(house: Engine) -> dict[str, frozenset[str] | None]:
    return {grant.login: grant.organizations for grant in list_grants(house)}


def test_a_life(house: Engine, login: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["mart", "list"]) == DONE
    assert "No login sees anything" in capsys.readouterr().out

    two = ["--organization", "SÜD", "--organization", "NORD"]
    assert main(["mart", "grant", login, *two]) == DONE
    assert f"{login} sees NORD, SÜD, and nothing else." in capsys.readouterr().out.replace("\n", " ")
    assert seen(house) == {login: frozenset({"NORD", "SÜD"})}
    assert main(["mart", "list"]) == DONE
    assert "NORD, SÜD" in capsys.readouterr().out

    assert main(["mart", "grant", login, "--all"]) == DONE
    assert seen(house) == {login: None}
    assert main(["mart", "revoke", login]) == DONE
    assert seen(house) == {}
    assert main(["mart", "revoke", login]) == YOUR_MISTAKE
    assert "see: tonnage mart list" in capsys.readouterr().err

    with connected(house) as connection:
        entries = [link.entry for link in reversed(read_links(connection, 100))]
    assert [(each.action, each.outcome, each.subject, dict(each.details)) for each in entries] == [
        ("tonnage mart grant", "granted", login, {"organizations": "NORD, SÜD"}),
        ("tonnage mart grant", "granted", login, {"organizations": "all"}),
        ("tonnage mart revoke", "revoked", login, {}),
    ]


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        ([], "or say --all"),
        (["--all", "--organization", "NORD"], "or say --all"),
        (["--organization", ""], "an organization is empty"),
    ],
)
def test_what_is_not_said_clearly_lets_nobody_in(
    house: Engine, login: str, capsys: pytest.CaptureFixture[str], wish: list[str], said: str
) -> None:
    assert main(["mart", "grant", login, *wish]) == YOUR_MISTAKE
    assert said in re.sub(r"[\s│]+", " ", capsys.readouterr().err)
    assert seen(house) == {}


def test_a_login_that_is_not_there_is_told_how_it_is_made(
    house: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["mart", "grant", "nobody_at_all", "--all"]) == YOUR_MISTAKE
    assert "in role tonnage_mart" in capsys.readouterr().err
    assert seen(house) == {}

"""`tonnage keys` on a real database: a key is shown once, listed without its secret, and revoked."""

import re
from collections.abc import Callable

import pytest
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.access.grant import Wish
from app.main import create_app
from app.store.api_keys import list_keys
from app.store.audit import Entry, read_links, verify
from app.store.engine import open_engine
from app.store.session import connected
from tonnage.cli import DONE, OUR_FAULT, YOUR_MISTAKE, main
from tonnage.granting import grant, take_back


@pytest.fixture
def house(new_migrated: Callable[[], str], monkeypatch: pytest.MonkeyPatch) -> Engine:
    url = new_migrated()
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    return open_engine(url)


def entries(house: Engine) -> list[Entry]:
    """All entries of the audit trail, the oldest first."""
    with connected(house) as connection:
        assert verify(connection).broken is None
        return [link.entry for link in reversed(read_links(connection, 100))]


def test_a_life(house: Engine, capsys: pytest.CaptureFixture[str]) -> None:
    capsys.readouterr()
    wish = ["--role", "planner", "--organization", "NORD", "--organization", "SÜD", "--expires", "90d"]
    assert main(["keys", "create", "power bi", *wish]) == DONE
    said = capsys.readouterr()
    assert re.fullmatch(r"tng_[0-9a-f]{12}_[0-9a-f]{64}\n", said.out), "the key alone, for $(…)"
    assert "nobody can show it again" in said.err

    (stored,) = list_keys(house)
    assert (stored.name, stored.role, stored.organizations) == (
        "power bi",
        "planner",
        frozenset({"NORD", "SÜD"}),
    )
    assert stored.expires_at is not None
    assert (stored.expires_at - stored.created_at).days in {89, 90}

    client = TestClient(create_app(house), headers={"Authorization": f"Bearer {said.out.strip()}"})
    assert client.get("/v1/runs/current").status_code == 404, "nothing published, but asked"

    assert main(["keys", "list"]) == DONE
    listed = capsys.readouterr().out
    assert stored.id in listed
    assert "NORD, SÜD" in listed
    assert said.out.strip().split("_")[2] not in listed

    assert main(["keys", "revoke", stored.id]) == DONE
    assert main(["keys", "revoke", stored.id]) == YOUR_MISTAKE
    again = TestClient(create_app(house), headers={"Authorization": f"Bearer {said.out.strip()}"})
    assert again.get("/v1/runs/current").status_code == 401
    capsys.readouterr()
    assert main(["keys", "list"]) == DONE
    assert "revoked" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("wish", "said"),
    [
        (["taken"], "tonnage keys revoke taken"),
        (["x", "--role", "root"], "viewer, planner, operator, admin"),
        (["x", "--expires", "soon"], "no number of days such as 90d"),
        (["x", "--expires", "9999999999d"], "no number of days such as 90d"),
        (["x", "--organization", ""], "an organization is empty"),
        ([""], "without a colon"),
        (["oidc:somebody"], "without a colon"),
        (["two\nlines"], "without a colon"),
    ],
)
def test_mistakes_are_told_and_make_no_key(
    house: Engine, capsys: pytest.CaptureFixture[str], wish: list[str], said: str
) -> None:
    assert main(["keys", "create", "taken"]) == DONE
    capsys.readouterr()
    assert main(["keys", "create", *wish]) == YOUR_MISTAKE
    answer = capsys.readouterr()
    assert answer.out == ""
    assert said in re.sub(r"[\s│]+", " ", answer.err)
    assert len(list_keys(house)) == 1
    assert len(entries(house)) == 1


def test_a_name_is_free_again_once_its_key_was_revoked(house: Engine) -> None:
    assert main(["keys", "create", "erp", "--expires", "never"]) == DONE
    assert main(["keys", "revoke", "erp"]) == DONE
    assert main(["keys", "create", "erp", "--expires", "2031-01-31"]) == DONE
    good = [key for key in list_keys(house) if key.revoked_at is None]
    assert [(key.name, str(key.expires_at)[:10]) for key in good] == [("erp", "2031-01-31")]


def test_who_made_and_revoked_a_key_is_in_the_audit_trail(
    house: Engine, capsys: pytest.CaptureFixture[str]
) -> None:
    capsys.readouterr()
    wish = ["--role", "planner", "--organization", "SÜD", "--organization", "NORD", "--expires", "2031-01-31"]
    assert main(["keys", "create", "power bi", *wish]) == DONE
    _, key_id, secret = capsys.readouterr().out.strip().split("_")
    assert main(["keys", "revoke", "power bi"]) == DONE
    assert main(["keys", "revoke", "power bi"]) == YOUR_MISTAKE
    made, revoked = entries(house)
    assert (made.action, made.outcome, made.subject) == ("tonnage keys create", "made", key_id)
    assert made.details == {
        "name": "power bi",
        "role": "planner",
        "organizations": "NORD, SÜD",
        "until": "2031-01-31T00:00:00+00:00",
    }
    assert (revoked.action, revoked.outcome, revoked.subject) == ("tonnage keys revoke", "revoked", key_id)
    assert made.caller == revoked.caller
    assert made.caller.startswith("os:")
    assert secret not in str([made, revoked])


def test_a_key_is_not_made_where_the_audit_trail_cannot_say_so(house: Engine) -> None:
    with house.begin() as connection:
        connection.exec_driver_sql("alter table audit add check (outcome <> 'made')")
    assert main(["keys", "create", "unseen"]) == OUR_FAULT
    assert list_keys(house) == []


def test_a_key_takes_the_place_of_another_at_once(house: Engine) -> None:
    wish = Wish("demo", "admin")
    with connected(house) as connection:
        first = grant(connection, wish, "tonnage demo")
    with connected(house) as connection:
        assert take_back(connection, "demo", "tonnage demo") == first.id
        second = grant(connection, wish, "tonnage demo")
    assert {key.id: key.revoked_at is None for key in list_keys(house)} == {first.id: False, second.id: True}
    assert [(entry.outcome, entry.subject) for entry in entries(house)] == [
        ("made", first.id),
        ("revoked", first.id),
        ("made", second.id),
    ]

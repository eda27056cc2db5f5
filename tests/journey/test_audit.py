"""The audit trail at the command line: what people do by hand is in it, and whoever changes it is found."""

import getpass
import json
from typing import Any

from sqlalchemy import text

from app.store.audit import Entry, record
from app.store.session import connected


def write(user: Any, count: int) -> None:
    for number in range(count):
        with connected(user.engine) as connection:
            record(connection, Entry("anna", "POST /v1/jobs", "202", f"[job] {number}", details={"a": 1}))


def test_list(user: Any) -> None:
    write(user, 3)
    said = user.run("audit", "list", "--limit", "2", "--json")
    assert [entry["number"] for entry in json.loads(said.out)] == [3, 2]
    assert json.loads(user.run("audit", "list", "--caller", "bert", "--json").out) == []
    table = user.run("audit", "list")
    assert table.code == 0 and "anna" in table.out


def test_verify(user: Any) -> None:
    assert "empty" in user.run("audit", "verify").out
    write(user, 3)
    sound = user.run("audit", "verify")
    assert sound.code == 0 and "3 entries hold" in sound.out
    anchor = sound.out.split()[-1]
    with user.engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("delete from audit where number = 3"))
    assert user.run("audit", "verify").code == 0
    cut = user.run("audit", "verify", "--anchor", anchor)
    assert cut.code == 3 and "broken at entry 3" in cut.out
    with user.engine.begin() as connection:
        connection.execute(text("set local session_replication_role = replica"))
        connection.execute(text("update audit set caller = 'bert' where number = 2"))
    broken = user.run("audit", "verify")
    assert broken.code == 3 and "broken at entry 2" in broken.out and "1 entry holds" in broken.out
    assert user.run("audit", "verify", "--anchor", "3:abc").code == 2


def test_a_month_that_a_person_wants_again(user: Any) -> None:
    (user.folder / "tonnage.toml").write_text("[schedule]\n")
    assert user.run("schedule", "--again", "2026-09").code == 2
    (entry,) = json.loads(user.run("audit", "list", "--json").out)
    assert (entry["action"], entry["subject"]) == ("tonnage schedule --again", "2026-09")
    assert entry["caller"] == f"os:{getpass.getuser()}"

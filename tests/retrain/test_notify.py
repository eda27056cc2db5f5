"""Whom to tell: secrets come from the environment and are never shown."""

import pytest

from retrain.errors import BadPlan
from retrain.notify import Address, Notifications, parse_notifications

ENVIRONMENT = {"HOOKS": "json://me:secret@host/a\n mailtos://me:secret@example.com", "WRONG": "secret"}


def test_nothing_said_tells_nobody() -> None:
    assert parse_notifications({}, {}).addresses == ()
    assert len(parse_notifications({}, {}).occasions) == 5


def test_addresses_and_occasions() -> None:
    found = parse_notifications({"notify": {"urls": ["env:HOOKS"], "events": ["late", "drift"]}}, ENVIRONMENT)
    urls = ("json://me:secret@host/a", "mailtos://me:secret@example.com")
    assert found == Notifications(tuple(map(Address, urls)), ("drift", "late"))
    assert [each.kind for each in found.addresses] == ["json", "mailtos"]
    assert "secret" not in repr(found)


@pytest.mark.parametrize(
    "given",
    [
        {"urls": ["json://me:secret@host/a"]},
        {"urls": ["env:"]},
        {"urls": ["env:NOTHING"]},
        {"urls": ["env:WRONG"]},
        {"urls": 3},
        {"events": ["sometimes"]},
        {"url": "env:HOOKS"},
    ],
)
def test_mistakes_name_the_setting_and_no_secret(given: dict[str, object]) -> None:
    with pytest.raises(BadPlan, match=r"notify\.") as refused:
        parse_notifications({"notify": given}, ENVIRONMENT)
    assert "secret@" not in str(refused.value)
    assert str(refused.value).count("secret") <= 1  # only the word, in "which are secrets"

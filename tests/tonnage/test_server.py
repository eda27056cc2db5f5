"""What the server makes of its settings."""

import pytest
from pydantic import SecretStr

from app.access.caller import Caller, Role
from app.errors import BadSessionSecret
from app.settings import Settings
from tonnage.server import sessions_of

ANA = Caller("ana", Role.VIEWER, None, "0" * 12)


def sessions(secret: str | None) -> str:
    """A cookie that was made under a secret."""
    return sessions_of(Settings(session_secret=None if secret is None else SecretStr(secret))).begin(ANA)


def test_sessions_of_one_secret_know_each_other_and_no_others() -> None:
    secret = SecretStr("s" * 32)
    assert sessions_of(Settings(session_secret=secret)).read(sessions("s" * 32)).who == ANA.key
    for other in ("t" * 32, None, ""):
        assert sessions(other).split(".")[1] != sessions("s" * 32).split(".")[1]


def test_a_secret_that_could_be_guessed_is_refused_and_not_told() -> None:
    with pytest.raises(BadSessionSecret) as refused:
        sessions("s" * 31)
    assert "sss" not in str(refused.value)
    assert "openssl rand -hex 32" in refused.value.remedy

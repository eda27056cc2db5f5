"""Settings of the service."""

import pytest
from pydantic import ValidationError

from app.settings import Settings


def test_defaults_are_this_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("DATABASE_URL", "HOST", "PORT", "OIDC_ISSUER", "OIDC_AUDIENCE", "OIDC_JWKS_URL"):
        monkeypatch.delenv(f"TONNAGE_{name}", raising=False)
    settings = Settings()
    assert (settings.database_url, settings.host, settings.port) == (None, "127.0.0.1", 8000)
    assert (settings.oidc_issuer, settings.oidc_audience, settings.oidc_jwks_url) == (None, None, None)


def test_environment_is_read_and_secrets_stay_secret(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TONNAGE_DATABASE_URL", "postgresql://u:hidden@h/d")
    monkeypatch.setenv("TONNAGE_PORT", "9000")
    settings = Settings()
    assert settings.port == 9000
    assert settings.database_url is not None
    assert settings.database_url.get_secret_value() == "postgresql://u:hidden@h/d"
    assert "hidden" not in repr(settings)
    with pytest.raises(ValidationError):
        settings.port = 1  # type: ignore[misc]  # the point of the test

"""Where the service finds its database, where it listens, and whose tokens it takes."""

from pydantic import Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from environment variables that begin with TONNAGE_."""

    model_config = SettingsConfigDict(env_prefix="TONNAGE_", frozen=True, extra="ignore")

    database_url: SecretStr | None = Field(
        default=None, description="PostgreSQL server; without it an embedded one is started"
    )
    host: str = Field(default="127.0.0.1", description="address to listen on")
    port: int = Field(default=8000, ge=1, le=65535, description="port to listen on")
    oidc_issuer: str | None = Field(
        default=None, description="claim iss of the tokens that are taken beside API keys"
    )
    oidc_audience: str | None = Field(default=None, description="claim aud of those tokens")
    oidc_jwks_url: str | None = Field(default=None, description="where their issuer publishes its keys")

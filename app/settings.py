"""Where the service finds its database, where it listens, whose tokens it takes, and how much."""

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
    session_secret: SecretStr | None = Field(
        default=None,
        description="signs sessions of the page; without it one is made at each start",
    )
    connections: int = Field(default=20, ge=8, description="connections to PostgreSQL at a time")
    statement_seconds: float = Field(default=10.0, gt=0, description="most that a statement may take")
    max_body: int = Field(default=33_554_432, ge=0, description="most bytes of a request's body")
    rate: float = Field(default=100.0, gt=0, description="requests per second of one caller")
    burst: int = Field(default=1_000, ge=1, description="requests at once of a caller who was quiet")
    cache_bytes: int = Field(default=67_108_864, ge=0, description="memory for answers given before")
    notice_seconds: float = Field(default=5.0, ge=0, description="on SIGTERM: not ready, still answering")
    drain_seconds: int = Field(default=30, ge=1, description="then: most that a running answer may take")

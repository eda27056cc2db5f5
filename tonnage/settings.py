"""Where things are for the command line."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment; `home` holds snapshots and the embedded database."""

    model_config = SettingsConfigDict(env_prefix="TONNAGE_", frozen=True, extra="ignore")

    home: Path = Path(".tonnage")
    config: Path = Path("tonnage.toml")

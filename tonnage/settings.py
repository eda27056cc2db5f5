"""Where things are for the command line."""

from pathlib import Path

from pydantic_settings import BaseSettings, SettingsConfigDict


class Settings(BaseSettings):
    """Read from the environment; `home` holds the embedded database, and snapshots unless they have a place.

    `snapshots` is a folder or a URL that fsspec knows, such as `abfs://container/path`. `commit` is that of
    the code, where its own work tree cannot tell.
    """

    model_config = SettingsConfigDict(env_prefix="TONNAGE_", frozen=True, extra="ignore")

    home: Path = Path(".tonnage")
    config: Path = Path("tonnage.toml")
    snapshots: str | None = None
    commit: str | None = None

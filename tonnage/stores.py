"""What the house keeps: the serving database and the snapshots. A service needs no more than that."""

import os
import secrets
import socket
from dataclasses import dataclass
from functools import cached_property
from typing import Self

import sqlalchemy as sa

from app.settings import Settings as ServiceSettings
from app.store.engine import Patience, open_engine
from app.store.migrate import migrate
from ingestion.blobs import open_blobs
from ingestion.snapshot_store import SnapshotStore
from tonnage.closing import at_end
from tonnage.embedded import start_embedded
from tonnage.settings import Settings


@dataclass(frozen=True)
class Stores:
    """Where things are kept, from settings; what a command does not touch is never opened."""

    settings: Settings
    service: ServiceSettings

    @classmethod
    def from_environment(cls) -> Self:
        return cls(Settings(), ServiceSettings())

    @classmethod
    def for_command(cls) -> Self:
        """What a command works with; it is closed when the command ends."""
        stores = cls.from_environment()
        at_end(stores.close)
        return stores

    @cached_property
    def name(self) -> str:
        """What this process is called beside its peers: its machine, its number, and what no other has."""
        return f"{socket.gethostname()[:30]}/{os.getpid()}/{secrets.token_hex(3)}"

    @cached_property
    def database_url(self) -> str:
        """The server named by TONNAGE_DATABASE_URL, or the embedded one."""
        named = self.service.database_url
        if named is None:
            return start_embedded(self.settings.home).render_as_string(hide_password=False)
        return named.get_secret_value()

    @cached_property
    def engine(self) -> sa.Engine:
        """The serving database; the embedded one is migrated on the way."""
        engine = open_engine(self.database_url, self.name)
        if self.service.database_url is None:
            migrate(engine)
        return engine

    @cached_property
    def snapshots(self) -> SnapshotStore:
        place = self.settings.snapshots or self.settings.home / "snapshots"
        return SnapshotStore(open_blobs(place, self.name))

    def open_for_service(self, patience: Patience) -> sa.Engine:
        """The serving database as the service may use it: with limits; the embedded one is migrated."""
        if self.service.database_url is None:
            _ = self.engine
        return open_engine(self.database_url, self.name, patience)

    def close(self) -> None:
        """Give back the connections to the serving database, if there are any."""
        if "engine" in self.__dict__:
            self.engine.dispose()

    def migrate(self) -> None:
        """Bring the serving database to the schema of this version."""
        migrate(self.engine)

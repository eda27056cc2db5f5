"""A user at the command line, with a database and a data folder of their own."""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import polars as pl
import pytest
import sqlalchemy as sa
import structlog
from fastapi.testclient import TestClient

from app.main import create_app
from app.store.engine import open_engine
from app.store.session import copy_in
from tonnage.cli import main


@dataclass(frozen=True)
class Said:
    """What a command ended with and printed."""

    code: int
    out: str
    err: str


@dataclass(frozen=True)
class User:
    """Somebody with a working folder, whose service and source share one database."""

    folder: Path
    engine: sa.Engine
    capsys: pytest.CaptureFixture[str]
    key_of: Callable[[sa.Engine], str]

    def run(self, *arguments: str) -> Said:
        """Run `tonnage` with these arguments."""
        self.capsys.readouterr()
        code = main(arguments)
        structlog.reset_defaults()  # the service logs by itself, not where a command did that has ended
        said = self.capsys.readouterr()
        return Said(code, said.out, said.err)

    def load(self, table: str, columns: str, rows: pl.DataFrame) -> None:
        """Create and fill a source table."""
        with self.engine.begin() as connection:
            connection.exec_driver_sql(f"create table {table} ({columns})")
            copy_in(connection, f"copy {table} from stdin (format csv, header)", rows.write_csv().encode())

    def service(self) -> TestClient:
        """The REST service over the same database, asked by an admin."""
        headers = {"Authorization": f"Bearer {self.key_of(self.engine)}"}
        return TestClient(create_app(self.engine), headers=headers)


@pytest.fixture
def user(
    tmp_path: Path,
    new_database: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key_of: Callable[[sa.Engine], str],
) -> User:
    url = new_database()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    monkeypatch.delenv("TONNAGE_CONFIG", raising=False)
    user = User(tmp_path, open_engine(url), capsys, key_of)
    assert user.run("migrate").code == 0
    return user

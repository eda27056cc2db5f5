"""A user at the command line, with a database and a data folder of their own; and two worlds that all share.

`demo` and `adventureworks` cost tens of seconds: whichever worker needs one first makes it for all.
"""

import fcntl
import io
import os
import re
from collections.abc import Callable
from contextlib import redirect_stdout
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
from tests.conftest import DATA
from tonnage.cli import main
from tonnage.embedded import start_embedded

ROOT = Path(__file__).resolve().parents[2]


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
    new_migrated: Callable[[], str],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    key_of: Callable[[sa.Engine], str],
) -> User:
    url = new_migrated()
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("TONNAGE_HOME", str(tmp_path / "home"))
    monkeypatch.setenv("TONNAGE_DATABASE_URL", url)
    monkeypatch.delenv("TONNAGE_CONFIG", raising=False)
    return User(tmp_path, open_engine(url), capsys, key_of)


@dataclass(frozen=True)
class World:
    """A data folder (TONNAGE_HOME) in which a month has been run, and what the commands printed."""

    home: Path
    printed: str

    def open(self) -> sa.Engine:
        """Its database; whoever opens it disposes of it."""
        return open_engine(start_embedded(self.home).render_as_string(hide_password=False))


@pytest.fixture(scope="session")
def once(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Callable[[Path], str]], World]:
    """Makes a world, unless another worker has or is about to."""
    own = tmp_path_factory.getbasetemp()
    shared = own.parent if "PYTEST_XDIST_WORKER" in os.environ else own

    def of(name: str, make: Callable[[Path], str]) -> World:
        home, printed = shared / f"home-{name}", shared / f"{name}.txt"
        with (shared / f"{name}.lock").open("w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            if not printed.exists():
                printed.write_text(make(home))
        return World(home, printed.read_text())

    return of


@pytest.fixture(scope="session")
def demo(once: Callable[[str, Callable[[Path], str]], World]) -> World:
    """The demo, made by `tonnage demo --no-serve`."""
    return once("demo", lambda home: _said(home, {}, ("demo", "--no-serve")))


@pytest.fixture(scope="session")
def adventureworks(once: Callable[[str, Callable[[Path], str]], World]) -> World:
    """AdventureWorks up to May 2020, as docs/adventureworks.md tells it."""
    if not DATA.is_dir():
        pytest.skip(f"the shared data folder {DATA} is not there")
    return once("adventureworks", _adventureworks)


def _adventureworks(home: Path) -> str:
    url = start_embedded(home).render_as_string(hide_password=False)
    engine = open_engine(url)
    for name in ("orders", "order_lines"):
        rows = pl.read_csv(DATA / "adventureworks_reseller" / f"{name}.csv.gz", infer_schema=False)
        kinds = {"order_date": "date", "quantity": "integer", "line_no": "integer"}
        columns = ", ".join(f"{column} {kinds.get(column, 'text')}" for column in rows.columns)
        with engine.begin() as connection:
            connection.exec_driver_sql(f"create table {name} ({columns})")
            copy_in(connection, f"copy {name} from stdin (format csv, header)", rows.write_csv().encode())
    engine.dispose()
    block = re.search(r"```toml\n(.*?)```", (ROOT / "docs" / "adventureworks.md").read_text(), re.DOTALL)
    assert block is not None
    config = home / "adventureworks.toml"
    config.write_text(block[1])
    return "".join(
        _said(home, {"ADVENTUREWORKS_URL": url}, arguments)
        for arguments in (
            ("migrate",),
            ("ingest", "--config", str(config), "--month", "2020-05"),
            ("retrain", "--config", str(config), "--month", "2020-05"),
        )
    )


def _said(home: Path, environment: dict[str, str], arguments: tuple[str, ...]) -> str:
    """What a command prints, which ends well."""
    printed = io.StringIO()
    with pytest.MonkeyPatch.context() as patch, redirect_stdout(printed):
        patch.setenv("TONNAGE_HOME", str(home))
        for name in ("TONNAGE_DATABASE_URL", "TONNAGE_CONFIG"):
            patch.delenv(name, raising=False)
        for name, value in environment.items():
            patch.setenv(name, value)
        assert main(arguments) == 0
    structlog.reset_defaults()
    return printed.getvalue()

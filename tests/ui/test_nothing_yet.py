"""Every view before the first run: a sentence instead of an error."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from app.access.sessions import Sessions
from app.main import create_app
from app.surroundings import Surroundings
from tests.ui.conftest import SECRET, Clock, Served
from tests.ui.told import new_engine


@pytest.fixture(scope="module")
def served(new_database: Callable[[], str], clock: Clock, serve: Callable[[Any], str]) -> Iterator[Served]:
    with new_engine(new_database()) as engine:
        yield Served(serve(create_app(engine, Surroundings(sessions=Sessions(SECRET, clock)))), engine)


@pytest.mark.parametrize("path", ["/", "/accuracy", "/runs"])
@pytest.mark.parametrize("organizations", [None, ["NORD"]])
def test_says_so(
    sign_in: Callable[..., Page], path: str, organizations: Any, accessible: Callable[[Page], None]
) -> None:
    page = sign_in("planner", organizations, path)
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.locator("main :is(.empty, .kept-back)").first).to_be_visible()
    expect(page.locator("main .refused")).to_have_count(0)
    accessible(page)

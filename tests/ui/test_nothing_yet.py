"""Every view before the first run: a sentence instead of an error."""

from collections.abc import Callable
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from tests.ui.conftest import Served


@pytest.fixture
def served(nothing_published: Served) -> Served:
    return nothing_published


@pytest.mark.parametrize("path", ["/", "/accuracy", "/runs"])
@pytest.mark.parametrize("organizations", [None, ["NORD"]])
def test_says_so(
    sign_in: Callable[..., Page], path: str, organizations: Any, accessible: Callable[[Page], None]
) -> None:
    page = sign_in("planner", organizations, path)
    expect(page.locator("main .loading")).to_have_count(0)
    expect(page.locator("main :is(.empty, .kept-back)").first).to_be_visible()
    expect(page.locator("main .refused")).to_have_count(0)
    # Who sees some organizations meets the same sentence, `kept_back`, wherever something is not shown.
    if organizations is None or path == "/":
        accessible(page)

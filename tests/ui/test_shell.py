"""What surrounds every view: signing in and out, moving between views, light and dark."""

from collections.abc import Callable

import pytest
from playwright.sync_api import Page, expect

VIEWS = {
    "/": "Overview",
    "/explorer": "Explorer",
    "/accuracy": "Accuracy",
    "/runs": "Runs and models",
    "/predict": "Predict",
}


@pytest.mark.parametrize("path", VIEWS)
def test_a_view_has_its_address(sign_in: Callable[..., Page], path: str) -> None:
    page = sign_in(path=path)
    expect(page.get_by_role("heading", level=1)).to_have_text(VIEWS[path])
    expect(page.get_by_role("navigation").locator("[aria-current=page]")).to_have_text(VIEWS[path])
    assert page.title() == f"{VIEWS[path]} · Tonnage"


def test_moving_between_views_loads_nothing_anew(page: Page) -> None:
    page.evaluate("window.here = true")
    for path, name in VIEWS.items():
        page.get_by_role("navigation").get_by_role("link", name=name).click()
        expect(page.get_by_role("heading", level=1)).to_have_text(name)
        assert page.url.endswith(path)
    page.go_back()
    expect(page.get_by_role("heading", level=1)).to_have_text("Runs and models")
    assert page.evaluate("window.here") is True

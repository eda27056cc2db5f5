"""Who sees what: strangers the sign-in page only, callers of some organizations theirs only."""

import re
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, expect

from app.store.api_keys import revoke_key
from tests.ui.conftest import Served
from tests.ui.told import entries

type SignIn = Callable[..., Page]

VIEWS = ("/", "/explorer", "/accuracy", "/runs", "/predict")


@pytest.fixture
def stranger(browser: Browser, served: Any, watched: Any) -> Iterator[Page]:
    """A page of nobody."""
    context = browser.new_context(base_url=served.url)
    page = context.new_page()
    watched.watch(page)
    yield page
    context.close()


def forgive_401(watched: Any) -> None:
    """Forget what the browser itself says of refusals that were meant."""
    watched.wrong[:] = [each for each in watched.wrong if "status of 401" not in each]


class TestStrangers:
    @pytest.mark.parametrize("path", VIEWS)
    def test_see_the_sign_in_page_only(self, stranger: Page, served: Any, path: str) -> None:
        stranger.goto(f"{path}?node=organization=NORD")
        expect(stranger).to_have_url(
            f"{served.url}/sign-in?next={path.replace('/', '%2F')}%3Fnode%3Dorganization%3DNORD"
        )
        expect(stranger.get_by_role("button")).to_have_text(["Sign in"])
        assert "NORD" not in stranger.inner_text("body")

    def test_come_to_what_they_asked_for_once_they_sign_in(
        self, stranger: Page, served: Any, key_of: Callable[..., str], watched: Any
    ) -> None:
        stranger.goto("/explorer?node=organization=NORD")
        stranger.get_by_label("API key").fill("nonsense")
        stranger.keyboard.press("Enter")
        expect(stranger.get_by_role("alert")).to_have_text("Nobody has this key.")
        forgive_401(watched)
        stranger.get_by_label("API key").fill(key_of(served.engine))
        stranger.keyboard.press("Enter")
        expect(stranger).to_have_url(f"{served.url}/explorer?node=organization=NORD")
        expect(stranger.get_by_role("heading", level=2)).to_have_text("NORD")
        stranger.get_by_role("button", name="Sign out").click()
        expect(stranger).to_have_url(f"{served.url}/sign-in")
        stranger.go_back()
        expect(stranger.get_by_role("button")).to_have_text(["Sign in"])

    def test_that_have_been_signed_in_are_shown_out_when_their_key_is_revoked(
        self, stranger: Page, served: Any, key_of: Callable[..., str], watched: Any
    ) -> None:
        key = key_of(served.engine)
        stranger.goto("/explorer")
        stranger.get_by_label("API key").fill(key)
        stranger.keyboard.press("Enter")
        expect(stranger.get_by_role("heading", level=2)).to_have_text("Total")
        # The page may leave by itself before it is clicked, and leaves with the click: nothing waits for it.
        expect(stranger.locator("#explorer-parts")).to_contain_text("add up to")
        with served.engine.begin() as connection:
            revoke_key(connection, key.split("_")[1])
        stranger.evaluate("document.querySelector('#explorer-parts a')?.click()")
        expect(stranger).to_have_url(re.compile(re.escape(f"{served.url}/sign-in?next=%2Fexplorer")))
        forgive_401(watched)


class TestCallersOfSome:
    def test_see_theirs_only(self, sign_in: SignIn) -> None:
        page = sign_in("viewer", ["NORD"], "/explorer")
        expect(page.get_by_role("heading", level=2)).to_have_text("NORD")
        levels = page.get_by_label("Level").locator("option").all_inner_texts()
        assert levels == [
            "organization",
            "organization × material group",
            "organization × customer",
            "organization × customer × material × material group",
        ]
        page.get_by_label("Level").select_option("organization,customer")
        expect(page.locator("#explorer-count")).to_contain_text("2 nodes")
        cells = page.locator("#explorer-grid .ag-row [col-id=name]")
        expect(cells).to_have_text(["NORD · K-104", "NORD · K-205"])
        assert "SÜD" not in page.inner_text("body")

    @pytest.mark.parametrize(
        ("node", "told"),
        [
            ("total", "sums over organizations that are not yours"),
            ("customer=K-104", "sums over organizations that are not yours"),
            ("organization=SÜD", "has no node"),
            ("organization=SÜD,customer=K-7", "has no node"),
        ],
    )
    def test_are_refused_the_rest_by_hand_made_address_too(
        self, sign_in: SignIn, node: str, told: str
    ) -> None:
        page = sign_in("viewer", ["NORD"], f"/explorer?node={node}")
        expect(page.locator("#explorer-head").get_by_role("alert")).to_contain_text(told)
        expect(page.locator("#explorer-numbers")).to_be_empty()
        expect(page.locator("#explorer-chart svg")).to_have_count(0)
        expect(page.locator("#explorer-parts")).to_be_empty()

    @pytest.mark.parametrize("question", ["level=customer", "level=total"])
    def test_are_refused_lists_over_all(self, sign_in: SignIn, question: str) -> None:
        page = sign_in("viewer", ["NORD"], f"/explorer?{question}")
        alert = page.locator("#explorer-count").get_by_role("alert")
        expect(alert).to_contain_text("sums over organizations that are not yours")
        expect(page.locator("#explorer-grid .ag-row [col-id=name]:not(:empty)")).to_have_count(0)

    def test_find_nothing_of_others_by_filter_and_search(self, sign_in: SignIn) -> None:
        page = sign_in("viewer", ["NORD"], "/explorer?level=organization,customer&is.organization=SÜD")
        expect(page.locator("#explorer-count")).to_contain_text("0 nodes")
        page = sign_in("viewer", ["NORD"], "/explorer?level=organization,customer&search=K-7")
        expect(page.locator("#explorer-count")).to_contain_text("0 nodes")

    def test_of_nothing_are_told_so(self, sign_in: SignIn) -> None:
        page = sign_in("viewer", ["OST"], "/explorer")
        expect(page.locator("#explorer-head").get_by_role("alert")).to_contain_text(
            "The run has nothing of your organizations"
        )


def test_whoever_reads_of_a_customer_is_in_the_audit_trail(sign_in: SignIn, served: Served) -> None:
    page = sign_in("viewer", None, "/explorer?node=customer=K-104")
    expect(page.get_by_role("heading", level=2)).to_have_text("K-104")
    seen = [
        (entry.action, entry.outcome)
        for entry in entries(served.app)
        if (entry.subject or "").startswith("/v1/series/customer=K-104?")
        and entry.caller.startswith("viewer")
    ]
    assert ("page", "200") in seen

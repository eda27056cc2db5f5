"""The page in a real browser: a service that listens, three runs of a few nodes, people who are signed in.

`served` is the service, `browser` is Debian's Chromium (skipped where it is not on PATH), `sign_in` opens a
page for a new key, and `page` is that of an admin. What a page logs as an error, or asks of another host,
fails its test at the end.
"""

import datetime as dt
import socket
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from fastapi import FastAPI
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    ViewportSize,
    expect,
)
from sqlalchemy import Engine

from app.access.sessions import Sessions
from app.main import create_app
from app.surroundings import Surroundings
from tests.ui.told import MODELS_AT, fill, fill_runs, new_engine
from tonnage.predictor import ProcessPredictor

WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=390, height=900)

type KeyOf = Callable[..., str]

expect.set_options(timeout=30_000)  # machines that run tests are busy


def sessions() -> Sessions:
    """Of people who have signed in, on a morning that does not end."""
    now = dt.datetime(2026, 11, 3, 8, tzinfo=dt.UTC).timestamp()
    return Sessions(b"the secret of the tests, 32 bytes", lambda: now)


@dataclass(frozen=True)
class Served:
    """A service that listens on this machine, and the database behind it."""

    url: str
    engine: Engine
    app: FastAPI


@pytest.fixture(scope="session")
def filled() -> Callable[[Engine], None]:
    """Fills a database of a test's own."""
    return fill_runs


@pytest.fixture(scope="session")
def ui_engine(new_migrated: Callable[[], str]) -> Iterator[Engine]:
    """A database with three runs, the last of which is shown; tests only add to it."""
    with new_engine(new_migrated()) as engine:
        fill_runs(engine)
        yield engine


@pytest.fixture(scope="session")
def everything_told(new_migrated: Callable[[], str], serve: Callable[[Any], str]) -> Iterator[Served]:
    """Three runs with all that there is to tell of them; tests only add to it."""
    with new_engine(new_migrated()) as engine:
        fill(engine)
        app = create_app(engine, Surroundings(sessions=sessions(), models_at=MODELS_AT))
        yield Served(serve(app), engine, app)


@pytest.fixture(scope="session")
def serve() -> Iterator[Callable[[Any], str]]:
    """Lets an application listen until the tests end; its URL."""
    servers: list[tuple[uvicorn.Server, threading.Thread]] = []

    def listen(app: Any) -> str:
        listener = socket.socket()
        listener.bind(("127.0.0.1", 0))
        listener.listen()  # whoever comes before the server is there waits for it, and is not refused
        config = uvicorn.Config(app, log_level="critical", ws="none", access_log=False)
        server = uvicorn.Server(config)
        thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]}, daemon=True)
        thread.start()
        servers.append((server, thread))
        return f"http://127.0.0.1:{listener.getsockname()[1]}"

    yield listen
    for server, thread in servers:
        server.should_exit = True
        thread.join(10)


@pytest.fixture(scope="session")
def predictor() -> Iterator[ProcessPredictor]:
    """What makes forecasts; it starts a process when it is first asked."""
    predictor = ProcessPredictor(seconds=300)
    yield predictor
    predictor.close()


@pytest.fixture(scope="session")
def served(ui_engine: Engine, serve: Callable[[Any], str], predictor: ProcessPredictor) -> Served:
    """The service over that database."""
    surroundings = Surroundings(sessions=sessions(), predictor=predictor)
    app = create_app(ui_engine, surroundings)
    return Served(serve(app), ui_engine, app)


@dataclass
class Watched:
    """What a page did that it must not: errors in its console, requests to other hosts."""

    home: str
    wrong: list[str] = field(default_factory=list)

    def watch(self, page: Page) -> None:
        page.on("console", self._logged)
        page.on("pageerror", lambda error: self.wrong.append(f"error: {error}"))
        page.on("request", self._asked)

    def _logged(self, message: ConsoleMessage) -> None:
        if message.type in {"error", "warning"}:
            self.wrong.append(f"{message.type}: {message.text} {message.location.get('url')}")

    def _asked(self, request: Request) -> None:
        if not request.url.startswith((f"{self.home}/", "data:", "blob:")):
            self.wrong.append(f"asked {request.url}")


@pytest.fixture(scope="session")
def nothing_published(new_migrated: Callable[[], str], serve: Callable[[Any], str]) -> Iterator[Served]:
    """A service over a database in which there is nothing yet."""
    with new_engine(new_migrated()) as engine:
        app = create_app(engine, Surroundings(sessions=sessions()))
        yield Served(serve(app), engine, app)


@pytest.fixture
def watched(served: Served) -> Iterator[Watched]:
    """What pages did wrong; a test that means them to may clear `wrong`."""
    watched = Watched(served.url)
    yield watched
    assert watched.wrong == []


@pytest.fixture(scope="session")
def signed_in(browser: Browser, key_of: KeyOf) -> Iterator[Callable[..., BrowserContext]]:
    """Contexts of people who are signed in, by service, role, organizations and options: pages load once."""
    contexts: dict[str, BrowserContext] = {}

    def of(served: Served, role: str, organizations: Any, options: dict[str, Any]) -> BrowserContext:
        name = repr((served.url, role, organizations, sorted(options.items())))
        if name not in contexts:
            context = browser.new_context(**({"locale": "en-GB"} | options))
            page = context.new_page()
            page.goto(f"{served.url}/sign-in")
            page.get_by_label("API key").fill(key_of(served.engine, role, organizations))
            page.get_by_role("button", name="Sign in").click()
            page.wait_for_url(f"{served.url}/")
            page.close()
            contexts[name] = context
        return contexts[name]

    yield of
    for context in contexts.values():
        context.close()


@pytest.fixture
def sign_in(
    signed_in: Callable[..., BrowserContext], served: Served, watched: Watched
) -> Iterator[Callable[..., Page]]:
    """Opens a page of somebody who has signed in: of a role, for some organizations or all.

    What the browser has kept of its pages, but for the session, is forgotten at the end.
    """
    pages: list[Page] = []

    def open_page(
        role: str = "admin",
        organizations: Any = None,
        path: str = "/",
        size: ViewportSize = WIDE,
        **options: Any,
    ) -> Page:
        page = signed_in(served, role, organizations, options).new_page()
        pages.append(page)
        page.set_viewport_size(size)
        watched.watch(page)
        page.goto(f"{served.url}{path}")
        return page

    yield open_page
    for page in pages:
        page.evaluate("localStorage.clear()")
        page.close()


@pytest.fixture
def page(sign_in: Callable[..., Page]) -> Page:
    """The page of an admin, at the overview."""
    return sign_in()


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page], None]:
    """Asserts that axe finds no violation of WCAG 2.1 A and AA on a page: in light, and where wide in dark.

    The dark page differs from the light one in its colours alone, and a narrow page has those of a wide one.
    """
    axe = Axe()
    rules = {
        "resultTypes": ["violations"],  # of the rest, which nobody reads, axe then gathers no particulars
        "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]},
    }

    def check(page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        for scheme in ("light",) if page.viewport_size == NARROW else ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
            expect(page.locator("html")).to_have_attribute("data-theme", scheme)
            # What is asked for anew fades meanwhile, if it takes long.
            expect(page.locator('[data-dash-is-loading="true"]')).to_have_count(0)
            found = axe.run(page, options=rules)
            assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"

    return check

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

import numpy as np
import polars as pl
import pytest
import uvicorn
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import (
    Browser,
    BrowserContext,
    ConsoleMessage,
    Page,
    Request,
    expect,
)
from sqlalchemy import Engine

from app.access.sessions import Sessions
from app.main import create_app
from app.store.engine import open_engine
from app.store.lineage import Lineage
from app.store.migrate import migrate
from app.store.publish import publish
from app.surroundings import Surroundings
from forecasting.forecast import Forecast
from forecasting.hierarchy import Hierarchy, parse_level
from forecasting.months import Month
from forecasting.panel import DemandPanel
from forecasting.run import ForecastRun
from tonnage.predictor import ProcessPredictor

NAMES = ("organization", "customer", "material", "material_group")
LEVELS = (
    "total",
    "organization",
    "material_group",
    "customer",
    "organization,material_group",
    "organization,customer",
    "organization,customer,material,material_group",
)
LEAVES = [
    ("NORD", "K-104", "HEB 200", "Long"),
    ("NORD", "K-104", "Coil 2.5", "Flat"),
    ("NORD", "K-205", "Coil 2.5", "Flat"),
    ("SÜD", "K-104", "HEB 200", "Long"),
    ("SÜD", "K-7", "Blech <6>", "Flat"),
]
PROBABILITIES = (0.05, 0.1, 0.25, 0.5, 0.75, 0.9, 0.95)
_SPREAD = np.array([0.6, 0.7, 0.85, 0.98, 1.15, 1.3, 1.45])
FIRST_OF_HISTORY = Month(2023, 11)
ORIGIN = Month(2026, 10)
SECRET = b"the secret of the tests, 32 bytes"

type KeyOf = Callable[..., str]

expect.set_options(timeout=30_000)  # machines that run tests are busy


@dataclass(frozen=True)
class Served:
    """A service that listens on this machine, and the database behind it."""

    url: str
    engine: Engine


@dataclass(frozen=True)
class Clock:
    """The seconds since 1970, as a test sets them."""

    at: list[float] = field(default_factory=lambda: [dt.datetime(2026, 11, 3, 8, tzinfo=dt.UTC).timestamp()])

    def __call__(self) -> float:
        return self.at[0]


def demand(origin: Month) -> DemandPanel:
    """Tonnes of five leaves up to a month: a level and a season each."""
    months = origin - FIRST_OF_HISTORY + 1
    season = 1 + 0.3 * np.sin(2 * np.pi * np.arange(months) / 12)
    sizes = np.array([120.0, 45.5, 30.25, 80.0, 12.125])
    return DemandPanel(_hierarchy(), FIRST_OF_HISTORY, np.outer(sizes, season), np.zeros(5, np.int64))


def run_of(origin: Month, scale: float = 1.0) -> ForecastRun:
    """A run of twelve months from a month on: the panel's last year again, a little more."""
    panel = demand(origin)
    hierarchy = panel.hierarchy
    mean = hierarchy.aggregate(panel.quantity[:, -12:] * 1.04 * scale)
    forecast = Forecast(hierarchy, origin + 1, mean, PROBABILITIES, _SPREAD[:, None, None] * mean)
    return ForecastRun(
        id=f"{origin}-{'abcdef'[origin.month % 6] * 12}",
        forecast=forecast,
        snapshot="3f9c1a2b4d5e",
        model="smoothing/3",
        unit="t",
        because="the first run",
    )


def _hierarchy() -> Hierarchy:
    leaves = pl.DataFrame(LEAVES, schema=dict.fromkeys(NAMES, pl.String), orient="row")
    return Hierarchy.of(NAMES, [parse_level(level) for level in LEVELS], leaves)


def fill(engine: Engine) -> None:
    """Three runs in an empty database, the last of which is shown."""
    migrate(engine)
    for back in (2, 1, 0):
        origin = ORIGIN - back
        shown = dt.datetime(origin.year, origin.month, 5, 6, tzinfo=dt.UTC) + dt.timedelta(days=31)
        lineage = Lineage({"name": "smoothing"}, {}, "0.3", "", "", {}, demand(origin))
        publish(engine, run_of(origin, 1 + 0.05 * back), shown, lineage)


@pytest.fixture(scope="session")
def filled() -> Callable[[Engine], None]:
    """Fills a database of a test's own."""
    return fill


@pytest.fixture(scope="session")
def ui_engine(new_database: Callable[[], str]) -> Iterator[Engine]:
    """A database with three runs, the last of which is shown; tests only add to it."""
    engine = open_engine(new_database())
    fill(engine)
    yield engine
    engine.dispose()


@pytest.fixture(scope="session")
def clock() -> Clock:
    """The clock of sessions."""
    return Clock()


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
def served(
    ui_engine: Engine, clock: Clock, serve: Callable[[Any], str], predictor: ProcessPredictor
) -> Served:
    """The service over that database."""
    surroundings = Surroundings(sessions=Sessions(SECRET, clock), predictor=predictor)
    return Served(serve(create_app(ui_engine, surroundings)), ui_engine)


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
def nothing_published(
    new_database: Callable[[], str], clock: Clock, serve: Callable[[Any], str]
) -> Iterator[Served]:
    """A service over a database in which there is nothing yet."""
    engine = open_engine(new_database())
    migrate(engine)
    yield Served(serve(create_app(engine, Surroundings(sessions=Sessions(SECRET, clock)))), engine)
    engine.dispose()


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

    What the browser kept of earlier pages, but for the session, is forgotten.
    """
    pages: list[Page] = []

    def open_page(role: str = "admin", organizations: Any = None, path: str = "/", **options: Any) -> Page:
        page = signed_in(served, role, organizations, options).new_page()
        pages.append(page)
        page.goto(f"{served.url}/sign-in")
        page.evaluate("localStorage.clear()")
        watched.watch(page)
        page.goto(f"{served.url}{path}")
        return page

    yield open_page
    for page in pages:
        page.close()


@pytest.fixture
def page(sign_in: Callable[..., Page]) -> Page:
    """The page of an admin, at the overview."""
    return sign_in()


@pytest.fixture(scope="session")
def accessible() -> Callable[[Page], None]:
    """Asserts that axe finds no violation of WCAG 2.1 A and AA on a page, in light and in dark."""
    axe = Axe()
    rules = {
        "runOnly": {"type": "tag", "values": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "best-practice"]}
    }

    def check(page: Page) -> None:
        expect(page.get_by_role("heading", level=1)).to_be_visible()
        expect(page.locator("main .loading")).to_have_count(0)
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type]  # one of the two
            expect(page.locator("html")).to_have_attribute("data-theme", scheme)
            found = axe.run(page, options=rules)
            assert found.violations_count == 0, f"{scheme}: {found.generate_report()}"

    return check

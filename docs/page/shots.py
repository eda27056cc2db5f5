"""The pictures of docs/page.md and the README: each view of the demo in Debian's Chromium, as small PNGs.

    uv run python docs/page/shots.py [--demo FOLDER]

FOLDER is a data folder (TONNAGE_HOME) in which `tonnage demo` has run; without it four months of the demo are
played first, so that there are runs to compare and forecasts that came true. Look at every picture before it
is committed.
"""

import argparse
import datetime as dt
import os
import shutil
import socket
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import httpx
import polars as pl
from PIL import Image
from playwright.sync_api import Browser, Page, sync_playwright

from tonnage.order_book import make_order_book

HERE = Path(__file__).resolve().parent
WIDE, NARROW = (1280, 860), (390, 844)
MOST_BYTES = 120_000
COLOURS = 128
WHO = "planning"
CUSTOMERS = ("K-104", "K-120", "K-166", "K-205")
LAST = dt.date(2026, 11, 1)
_TONNAGE = [sys.executable, "-m", "tonnage"]
_FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run", "--disable-sync",
          "--disable-background-networking", "--disable-component-update",
          "--font-render-hinting=none"]  # fmt: skip


@dataclass(frozen=True)
class Shot:
    """A picture: its name, the address, the window, light or dark."""

    name: str
    path: str
    size: tuple[int, int] = WIDE
    scheme: str = "light"


_NODE = "/explorer?level=organization,material&node=organization=WEST&earlier=3"
SHOTS = (
    Shot("overview", "/"),
    Shot("overview-dark", "/", scheme="dark"),
    Shot("overview-narrow", "/", NARROW),
    Shot("explorer", _NODE),
    Shot("explorer-dark", _NODE, scheme="dark"),
    Shot("explorer-narrow", _NODE, NARROW),
    Shot("accuracy", "/accuracy"),
    Shot("accuracy-dark", "/accuracy", scheme="dark"),
    Shot("runs", "/runs"),
    Shot("runs-dark", "/runs", scheme="dark"),
    Shot("predict", "/predict"),
    Shot("predict-dark", "/predict", scheme="dark"),
)


def tonnage(home: Path, *arguments: str) -> str:
    """What a command prints."""
    environment = {**os.environ, "TONNAGE_HOME": str(home)}
    return subprocess.run(
        [*_TONNAGE, *arguments], env=environment, stdout=subprocess.PIPE, check=True, text=True
    ).stdout


@contextmanager
def served(home: Path) -> Iterator[str]:
    """`tonnage serve` over a data folder; its URL."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    environment = {**os.environ, "TONNAGE_HOME": str(home), "TONNAGE_NOTICE_SECONDS": "0"}
    server = subprocess.Popen(
        [*_TONNAGE, "serve", "--port", str(port)], env=environment, stderr=subprocess.DEVNULL
    )
    url = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(transport=httpx.HTTPTransport(retries=9), timeout=120) as client:
            client.get(f"{url}/health/ready").raise_for_status()
        yield url
    finally:
        server.terminate()
        server.wait(60)


def sign_in(browser: Browser, url: str, key: str) -> Any:
    """The cookies of somebody who is signed in."""
    with browser.new_context(base_url=url) as context:
        page = context.new_page()
        page.goto("/sign-in")
        page.get_by_label("API key").fill(key)
        page.get_by_role("button", name="Sign in").click()
        page.wait_for_url(f"{url}/")
        return context.storage_state()


def settle(page: Page) -> None:
    """Until everything is answered and drawn."""
    page.get_by_role("heading", level=1).wait_for()
    page.locator("main .loading").first.wait_for(state="detached", timeout=60_000)
    page.wait_for_load_state("networkidle")
    for grid in page.locator("main .ag-root:visible").all():
        grid.locator(".ag-row [col-id]:not(:empty)").first.wait_for()
    page.evaluate("document.fonts.ready")


def bring(page: Page) -> None:
    """Give the page a history of one's own, and wait for its forecast."""
    page.locator("#predict-input").set_input_files(
        {"name": "long-products.csv", "mimeType": "text/csv", "buffer": own_history()}
    )
    page.locator("#predict-go:enabled").click(timeout=60_000)
    page.locator("#predict-chart path.forecast").first.wait_for(timeout=300_000)


def own_history() -> bytes:
    """Four customers of the order book, line by line, as somebody might have them in a file."""
    columns = {"customer": "Customer", "material": "Grade", "requested": "Wanted on", "tonnes": "Tonnes"}
    book = make_order_book().filter(pl.col("customer").is_in(CUSTOMERS), ~pl.col("cancelled"))
    return book.filter(pl.col("requested") < LAST).select(columns.keys()).rename(columns).write_csv().encode()


def take(browser: Browser, url: str, state: Any, shot: Shot) -> None:
    """Take a picture, with few colours, and say how large it is."""
    width, height = shot.size
    with browser.new_context(
        base_url=url, storage_state=state, viewport={"width": width, "height": height},
        color_scheme=shot.scheme, locale="en-GB", timezone_id="Europe/Berlin",
        device_scale_factor=2 if shot.size is NARROW else 1,
    ) as context:  # fmt: skip
        page = context.new_page()
        page.goto(shot.path)
        settle(page)
        if shot.path == "/predict":
            bring(page)
            settle(page)
        to = HERE / f"{shot.name}.png"
        page.screenshot(path=to)
    with Image.open(to) as picture:
        few = picture.convert("RGB").quantize(COLOURS, Image.Quantize.MEDIANCUT, dither=Image.Dither.NONE)
    few.save(to, optimize=True)
    size = to.stat().st_size
    print(f"{to.name:24} {size / 1000:6.0f} kB{'  TOO LARGE' if size > MOST_BYTES else ''}")


def main() -> None:
    """Play the demo unless a folder is given, and take every picture."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").splitlines()[0])
    parser.add_argument("--demo", type=Path, help="a data folder in which tonnage demo has run")
    parser.add_argument("--only", default="", help="take only pictures whose name begins so")
    asked = parser.parse_args()
    chromium = shutil.which("chromium")
    if chromium is None:
        sys.exit("install Debian's chromium")
    with tempfile.TemporaryDirectory() as folder, sync_playwright() as playwright:
        home = asked.demo or Path(folder)
        if asked.demo is None:
            tonnage(home, "demo", "--months", "4", "--no-serve")
        key = tonnage(home, "keys", "create", WHO, "--role", "admin").split()[0]
        try:
            browser = playwright.chromium.launch(executable_path=chromium, args=_FLAGS)
            with served(home) as url:
                state = sign_in(browser, url, key)
                for shot in SHOTS:
                    if shot.name.startswith(asked.only):
                        take(browser, url, state, shot)
            browser.close()
        finally:
            tonnage(home, "keys", "revoke", WHO)


if __name__ == "__main__":
    main()

"""Signing in at the page, and what a session opens: over HTTP, without a browser."""

import datetime as dt
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from typing import Any

import jwt
import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from fastapi.testclient import TestClient
from httpx import Response
from sqlalchemy import Engine

from app.access.caller import Caller, Role
from app.access.rules import PAGES
from app.access.sessions import COOKIE, LASTS_SECONDS, Sessions
from app.denials import BadToken, SessionOver
from app.edge.limits import Limits
from app.main import create_app
from app.store.api_keys import revoke_key
from app.store.audit import read_links
from app.store.session import connected
from app.surroundings import Surroundings
from app.ui.door import Page
from forecasting.run import ForecastRun

type KeyOf = Callable[..., str]

SECRET = b"the secret of the tests, 32 bytes"
NOW = dt.datetime(2026, 11, 3, 8, tzinfo=dt.UTC).timestamp()
OWN = {"Origin": "http://testserver", "Sec-Fetch-Site": "same-origin"}
QUESTION: dict[str, Any] = {
    "output": "page-view.children",
    "outputs": {"id": "page-view", "property": "children"},
    "inputs": [{"id": "page-where", "property": "pathname", "value": "/nowhere"}],
    "changedPropIds": ["page-where.pathname"],
}


class Clock:
    """The seconds since 1970, as a test sets them."""

    at = NOW

    def __call__(self) -> float:
        return self.at


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def browser(engine: Engine, clock: Clock) -> Iterator[TestClient]:
    """A browser that nobody has signed in with yet."""
    app = create_app(engine, Surroundings(sessions=Sessions(SECRET, clock)))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def sign_in(browser: TestClient, key: str, **form: str) -> Response:
    answer: Response = browser.post("/sign-in", data={"key": key, **form}, headers=OWN)
    return answer


class TestSigningIn:
    def test_gives_a_cookie_that_scripts_and_other_pages_do_not_get(
        self, browser: TestClient, engine: Engine, key_of: KeyOf
    ) -> None:
        key = key_of(engine)
        answer = sign_in(browser, key, next="/explorer?node=total")
        assert (answer.status_code, answer.headers["location"]) == (303, "/explorer?node=total")
        cookie = answer.headers["set-cookie"]
        assert cookie.startswith(f"{COOKIE}=")
        assert {"HttpOnly", "SameSite=strict", "Path=/"} <= set(cookie.split("; "))
        assert "Secure" not in cookie
        assert key.split("_")[2] not in cookie
        assert browser.get("/explorer").status_code == 200

    def test_over_tls_the_cookie_goes_over_tls_only(
        self, engine: Engine, clock: Clock, key_of: KeyOf
    ) -> None:
        app = create_app(engine, Surroundings(sessions=Sessions(SECRET, clock)))
        client = TestClient(app, base_url="https://testserver", follow_redirects=False)
        answer = client.post(
            "/sign-in", data={"key": key_of(engine)}, headers={"Origin": "https://testserver"}
        )
        assert "Secure" in answer.headers["set-cookie"].split("; ")

    def test_behind_a_proxy_with_tls_too(self, browser: TestClient, engine: Engine, key_of: KeyOf) -> None:
        headers = {"Origin": "https://testserver", "Sec-Fetch-Site": "same-origin"}
        for path in ("/sign-in", "/sign-out"):
            answer = browser.post(path, data={"key": key_of(engine)}, headers=headers)
            assert answer.status_code == 303
            assert "Secure" in answer.headers["set-cookie"].split("; ")

    @pytest.mark.parametrize("key", ["", "nonsense", f"tng_{'0' * 12}_{'0' * 64}", "x" * 40_000])
    def test_with_what_holds_nothing_is_told(self, browser: TestClient, engine: Engine, key: str) -> None:
        answer = sign_in(browser, key, next="/explorer")
        assert answer.status_code == 401
        assert "set-cookie" not in answer.headers
        assert "Nobody has this key." in answer.text
        assert len(key) < 5 or key not in answer.text
        assert 'name="next" value="/explorer"' in answer.text or len(key) > 30_000

    @pytest.mark.parametrize(
        "following",
        [
            "//evil.example/",
            "https://evil.example/",
            "/\\evil.example",
            "/v1/runs",
            "javascript:alert(1)",
            "/%0d",
        ],
    )
    def test_leads_to_no_place_but_a_view(
        self, browser: TestClient, engine: Engine, key_of: KeyOf, following: str
    ) -> None:
        assert sign_in(browser, key_of(engine), next=following).headers["location"] == "/"
        page = browser.get("/sign-in", params={"next": following})
        assert 'name="next" value="/"' in page.text

    def test_what_is_asked_for_is_no_part_of_the_page_but_text(self, browser: TestClient) -> None:
        page = browser.get("/sign-in", params={"next": '/explorer?search="><script>alert(1)</script>'})
        assert "<script>alert" not in page.text
        assert "&quot;&gt;&lt;script&gt;" in page.text

    @pytest.mark.parametrize(
        "headers",
        [{}, {"Origin": "https://evil.example"}, {"Origin": "null"}, OWN | {"Sec-Fetch-Site": "cross-site"},
         OWN | {"Sec-Fetch-Site": "same-site"}, OWN | {"Origin": "http://testserver:81"}],
    )  # fmt: skip
    @pytest.mark.parametrize("path", ["/sign-in", "/sign-out"])
    def test_is_not_done_for_other_pages(
        self, browser: TestClient, engine: Engine, key_of: KeyOf, path: str, headers: dict[str, str]
    ) -> None:
        answer = browser.post(path, data={"key": key_of(engine)}, headers=headers)
        assert answer.status_code == 403
        assert "set-cookie" not in answer.headers

    def test_is_in_the_audit_trail_and_so_is_failing(
        self, browser: TestClient, engine: Engine, key_of: KeyOf
    ) -> None:
        key = key_of(engine, "viewer")
        sign_in(browser, "nonsense")
        sign_in(browser, key)
        browser.app.state.trail.settle(10)  # type: ignore[attr-defined]  # TestClient knows only ASGI
        with connected(engine) as connection:
            entries = [link.entry for link in read_links(connection, 10)]
        told = [(each.caller, each.action, each.outcome) for each in entries]
        assert told == [(f"viewer {key.split('_')[1]}", "POST /sign-in", "303"), ("", "POST /sign-in", "401")]


class TestASession:
    @pytest.fixture
    def key(self, engine: Engine, key_of: KeyOf) -> str:
        return key_of(engine, "admin")

    @pytest.fixture
    def signed_in(self, browser: TestClient, key: str) -> TestClient:
        sign_in(browser, key)
        return browser

    def test_opens_the_views_and_reads_the_api(self, signed_in: TestClient, published: ForecastRun) -> None:
        for question in PAGES:
            assert signed_in.get(question.removeprefix("GET ")).status_code == 200
        assert signed_in.get("/_dash-layout").status_code == 200
        assert signed_in.get("/v1/forecasts?format=csv").text.startswith("run,origin,")

    def test_ends_at_the_next_question_once_its_key_is_revoked(
        self, signed_in: TestClient, engine: Engine, key: str
    ) -> None:
        assert signed_in.get("/explorer").status_code == 200
        with engine.begin() as connection:
            revoke_key(connection, key.split("_")[1])
        assert signed_in.get("/explorer").headers["location"] == "/sign-in?next=%2Fexplorer"
        assert signed_in.get("/_dash-layout").status_code == 401
        assert signed_in.get("/v1/runs").status_code == 401

    def test_ends_with_the_day(self, signed_in: TestClient, clock: Clock) -> None:
        clock.at = NOW + LASTS_SECONDS - 1
        assert signed_in.get("/explorer").status_code == 200
        clock.at = NOW + LASTS_SECONDS
        assert signed_in.get("/explorer").status_code == 302

    def test_ends_by_signing_out(self, signed_in: TestClient) -> None:
        answer = signed_in.post("/sign-out", headers=OWN)
        assert (answer.status_code, answer.headers["location"]) == (303, "/sign-in")
        assert signed_in.get("/explorer").status_code == 302

    def test_changes_nothing_of_the_api(self, signed_in: TestClient) -> None:
        answer = signed_in.post(
            "/v1/jobs", json={"kind": "ingest"}, headers=OWN | {"Idempotency-Key": "12345678"}
        )
        assert answer.status_code == 401

    def test_is_not_for_other_pages(self, signed_in: TestClient) -> None:
        assert signed_in.post("/_dash-update-component", json=QUESTION, headers=OWN).status_code == 200
        for headers in ({}, {"Origin": "https://evil.example"}, OWN | {"Sec-Fetch-Site": "cross-site"}):
            answer = signed_in.post("/_dash-update-component", json=QUESTION, headers=headers)
            assert (answer.status_code, answer.json()["field"]) == (403, "Origin")

    @pytest.mark.parametrize("body", [b"", b"[]", b"{}", b"no json", b'{"output": "nothing.children"}', b"1"])
    def test_is_told_what_is_no_question_of_the_page(self, signed_in: TestClient, body: bytes) -> None:
        answer = signed_in.post("/_dash-update-component", content=body, headers=OWN)
        assert (answer.status_code, answer.json()["field"]) == (422, "body")

    def test_of_somebody_else_is_not_made_by_changing_the_cookie(
        self, browser: TestClient, clock: Clock
    ) -> None:
        forged = Sessions(b"another secret, of 32 bytes, too", clock).begin(
            Caller("x", Role.ADMIN, None, "0" * 12)
        )
        good = Sessions(SECRET, clock).begin(Caller("x", Role.ADMIN, None, "0" * 12))
        for cookie in (
            forged,
            good[:-1] + ("A" if good[-1] != "A" else "B"),
            good.replace(".", ""),
            "x",
            ".",
        ):
            browser.cookies = {COOKIE: cookie}  # type: ignore[assignment]  # as a dictionary is taken
            assert browser.get("/v1/runs").status_code == 401

    def test_headers_of_a_program_come_first(self, signed_in: TestClient) -> None:
        answer = signed_in.get("/explorer", headers={"Authorization": "Bearer nonsense"})
        assert answer.status_code == 401

    def test_who_follows_a_link_from_elsewhere_asks_once_more_from_here(self, browser: TestClient) -> None:
        answer = browser.get("/explorer?node=total", headers={"Sec-Fetch-Site": "cross-site"})
        assert answer.status_code == 200
        assert 'http-equiv="refresh" content="0"' in answer.text
        assert browser.get("/v1/runs", headers={"Sec-Fetch-Site": "cross-site"}).status_code == 401


class TestAToken:
    """A session of somebody whose company vouches for them: what was granted is in the cookie."""

    def test_lasts_no_longer_than_the_token(self, engine: Engine, clock: Clock) -> None:
        private = ec.generate_private_key(ec.SECP256R1())
        token = jwt.encode({"sub": "ana", "exp": int(NOW) + 600}, private, algorithm="ES256")

        class Company:
            def caller(self, shown: str) -> Caller:
                if shown != token:
                    raise BadToken("it is another")
                return Caller("oidc:ana", Role.PLANNER, frozenset({"NORD"}))

        surroundings = Surroundings(sessions=Sessions(SECRET, clock), issuer=Company())
        client = TestClient(create_app(engine, surroundings), follow_redirects=False)
        assert "API key or token" in client.get("/sign-in").text
        sign_in(client, token)
        assert token not in str(client.cookies)
        page = client.get("/explorer").text
        assert "oidc:ana: planner · NORD" in page
        assert client.get("/v1/jobs").status_code == 403
        clock.at = NOW + 600
        assert client.get("/explorer").status_code == 302


class TestTheDocument:
    def test_lets_no_script_run_but_its_own(self, browser: TestClient, engine: Engine, key_of: KeyOf) -> None:
        sign_in(browser, key_of(engine))
        answer = browser.get("/explorer")
        policy = dict(part.split(" ", 1) for part in answer.headers["content-security-policy"].split("; "))
        assert policy["default-src"] == "'none'"
        assert policy["connect-src"] == policy["form-action"] == "'self'"
        assert re.fullmatch(r"'self'( 'sha256-[A-Za-z0-9+/=]+')+", policy["script-src"])
        assert not re.search(r"https?:|\*|unsafe-eval", answer.headers["content-security-policy"])
        assert not re.search(r"""(src|href)=["'](https?:)?//""", answer.text)

    def test_asks_for_nothing_that_is_not_there_and_may_be_kept(
        self, browser: TestClient, engine: Engine, key_of: KeyOf
    ) -> None:
        sign_in(browser, key_of(engine))
        found = re.findall(
            r'(?:src|href)="(/(?:assets|_dash-component-suites)/[^"]+)"', browser.get("/").text
        )
        assert len(found) > 10
        for path in found:
            answer = browser.get(path)
            assert answer.status_code == 200
            assert answer.headers["cache-control"] == "public, max-age=31536000, immutable"
            assert answer.headers["content-encoding"] == "gzip"

    @pytest.mark.parametrize(
        "path",
        [
            "/assets/../page.py",
            "/assets/%2e%2e/page.py",
            "/assets//etc/passwd",
            "/assets/",
            "/_dash-component-suites/dash/../app/main.py",
            "/_dash-component-suites/os/path.py",
            "/_dash-component-suites/dash/dash.py",
        ],
    )
    def test_of_other_files_nothing_is_told(self, browser: TestClient, path: str) -> None:
        assert browser.get(path).status_code in (404, 401)


@pytest.mark.parametrize(("body", "file"), [(33_554_432, 24_000_000), (4_100_000, 3_000_000), (5_000, 0)])
def test_predict_takes_no_larger_file_than_the_edge(
    engine: Engine, clock: Clock, key_of: KeyOf, body: int, file: int
) -> None:
    """As base64, in a body with something beside it."""
    app = create_app(engine, Surroundings(sessions=Sessions(SECRET, clock)), Limits(body=body))
    with TestClient(app, follow_redirects=False) as browser:
        sign_in(browser, key_of(engine, "planner"))
        layout = browser.get("/_dash-layout?view=/predict").text
    assert f'"data-most":"{file}"' in layout


def test_cookies_are_read_by_their_own_secret_only(clock: Clock) -> None:
    sessions = Sessions(SECRET, clock)
    caller = Caller("K", Role.VIEWER, frozenset({"SÜD", "NORD"}))
    cookie = sessions.begin(caller, int(NOW) + 60)
    assert (sessions.read(cookie).who, sessions.read(cookie).until) == (caller, int(NOW) + 60)
    with pytest.raises(SessionOver):
        Sessions(SECRET[::-1], clock).read(cookie)


def test_the_service_does_not_wait_for_the_page() -> None:
    code = (
        "import sys; from app.main import create_app; from app.store.engine import open_engine; "
        "from app.access.sessions import Sessions; from app.surroundings import Surroundings; "
        "create_app(open_engine('postgresql://x@/y'), Surroundings(sessions=Sessions(bytes(32), float))); "
        "print({'dash', 'plotly', 'dash_mantine_components'} & sys.modules.keys())"
    )
    found = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert found.stdout.strip() == "set()"


def test_who_leaves_while_the_page_is_made_does_not_keep_it_from_others(engine: Engine) -> None:
    app = create_app(engine, Surroundings(sessions=Sessions(SECRET, float)))
    made = Page(app).begin()
    assert not made.cancel()
    assert set(made.result(60)) > {page.removeprefix("GET ") for page in PAGES}


def test_who_leaves_before_the_question_has_come_in_leaves_no_error(
    browser: TestClient, engine: Engine, key_of: KeyOf
) -> None:
    sign_in(browser, key_of(engine))
    headers = OWN | {"Host": "testserver", "Cookie": f"{COOKIE}={browser.cookies[COOKIE]}"}
    scope = {
        "type": "http", "method": "POST", "scheme": "http", "path": "/_dash-update-component",
        "query_string": b"",
        "headers": [(name.lower().encode(), value.encode()) for name, value in headers.items()],
    }  # fmt: skip
    sent: list[dict[str, Any]] = []

    async def receive() -> dict[str, Any]:
        return {"type": "http.disconnect"}

    async def send(message: dict[str, Any]) -> None:
        sent.append(message)

    assert browser.portal is not None
    browser.portal.call(browser.app, scope, receive, send)
    assert sent[0]["status"] == 400

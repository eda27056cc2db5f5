"""Who comes past the gate: every route by every method and kind of credentials, generated from the routes."""

import datetime as dt
import itertools
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import pytest
from fastapi import APIRouter, FastAPI
from fastapi.routing import iter_route_contexts
from fastapi.testclient import TestClient
from sqlalchemy import Engine

from app.access.caller import Caller, Role
from app.access.callers import MEMORY_SECONDS, Callers
from app.access.key import new_key, read_key
from app.access.rules import OPEN, PAGES, RULES, Rule
from app.access.sessions import Sessions
from app.api.gate import Questions
from app.denials import KeyOver, UnknownKey
from app.main import create_app
from app.store.api_keys import find_key, list_keys, note_use, revoke_key
from app.store.engine import open_engine
from app.surroundings import Surroundings

type KeyOf = Callable[..., str]

METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
# Far from the database, the routes of the service as it is.
ROUTES = [
    (str(route.path), frozenset(route.methods or METHODS))
    for route in iter_route_contexts(
        create_app(
            open_engine("postgresql://x@127.0.0.1:1/x"),
            Surroundings(sessions=Sessions(bytes(32), lambda: 0.0)),
        ).routes
    )
]
PATHS = sorted({path for path, _ in ROUTES})
# What strangers may ask too, asked for nothing that is there, or from elsewhere.
OPEN_ANSWERS = dict.fromkeys(OPEN, 404) | {
    "GET /health/live": 200,
    "GET /health/ready": 200,
    "GET /sign-in": 200,
    "POST /sign-in": 403,
    "POST /sign-out": 403,
}
LONG_AGO = dt.datetime(2020, 1, 1, tzinfo=dt.UTC)


def answered(path: str) -> set[str]:
    return {method for each, methods in ROUTES if each == path for method in methods}


def filled(path: str) -> str:
    """A path with something in the place of its parameters."""
    return "/".join("none" if part.startswith("{") else part for part in path.split("/"))


@pytest.fixture(scope="module")
def asked(migrated: Engine) -> Iterator[TestClient]:
    """The service, asked by nobody in particular; what it knows by heart are keys, and each test has its own.

    It may still be writing of a test's questions into the audit trail when the next test empties it: nothing
    here reads that.
    """
    sessions = Sessions(bytes(32), lambda: 0.0)
    app = create_app(migrated, Surroundings(sessions=sessions))
    with TestClient(app, raise_server_exceptions=False, follow_redirects=False) as client:
        yield client


def bearer(key: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {key}"}


@pytest.fixture(scope="session")
def elsewhere(new_migrated: Callable[[], str]) -> Iterator[Engine]:
    """Another house with keys of its own."""
    engine = open_engine(new_migrated())
    yield engine
    engine.dispose()


@pytest.fixture
def worthless(engine: Engine, elsewhere: Engine, key_of: KeyOf) -> dict[str, dict[str, str]]:
    """Headers that show nobody, by what is wrong with them."""
    good, revoked = key_of(engine), key_of(engine)
    with engine.begin() as connection:
        revoke_key(connection, revoked.split("_")[1])
    forged = good[:-1] + ("0" if good[-1] != "0" else "1")
    return {
        "nothing": {},
        "empty": {"Authorization": ""},
        "no scheme": {"Authorization": good},
        "another scheme": {"Authorization": f"Basic {good}"},
        "no key": {"Authorization": "Bearer "},
        "another header": {"X-API-Key": good},
        "expired": bearer(key_of(engine, expires_at=LONG_AGO)),
        "revoked": bearer(revoked),
        "of another database": bearer(key_of(elsewhere)),
        "forged secret": bearer(forged),
        "another id": bearer(f"tng_{'0' * 12}_{good.split('_')[2]}"),
        "capitals": bearer(good.upper()),
        "a digit more": bearer(f"{good}0"),
        "garbage": bearer("a.b.c"),
        "very long": bearer("x" * 20_000),
        "sql": bearer("tng_' or true --_x"),
    }


class TestEveryRoute:
    def test_has_a_rule_or_is_open_and_no_rule_is_without_a_route(self) -> None:
        there = {f"{method} {path}" for path in PATHS for method in answered(path) - {"HEAD"}}
        assert there == RULES.keys() | OPEN

    @pytest.mark.parametrize("path", [*PATHS, "/", "/v1", "/nowhere", "/redoc", "/docs/oauth2-redirect"])
    def test_refuses_whoever_shows_nothing_that_holds(
        self, asked: TestClient, worthless: dict[str, dict[str, str]], path: str
    ) -> None:
        for method, (kind, headers) in itertools.product(METHODS, worthless.items()):
            question = f"{'GET' if method == 'HEAD' else method} {path}"
            if question in OPEN and method in answered(path):
                continue
            answer = asked.request(method, filled(path), headers=headers)
            if f"{method} {path}" in PAGES and "Authorization" not in headers:
                assert (answer.status_code, answer.content) == (302, b"")
                assert answer.headers["location"] == f"/sign-in?next={quote(path, safe='')}"
                continue
            assert answer.status_code == 401, (method, kind)
            assert answer.headers["www-authenticate"].split()[0] == "Bearer"
            assert answer.headers["content-type"] == "application/problem+json"
            if method != "HEAD":
                assert "tonnage keys create" in answer.json()["remedy"], kind

    @pytest.mark.parametrize("path", PATHS)
    @pytest.mark.parametrize("organizations", [None, ("NORD",)], ids=["all", "some"])
    def test_lets_in_each_role_by_its_rule_alone(
        self, asked: TestClient, engine: Engine, key_of: KeyOf, path: str, organizations: Any
    ) -> None:
        for role, method in itertools.product(Role, METHODS):
            question = f"{'GET' if method == 'HEAD' else method} {path}"
            key = key_of(engine, role.name.lower(), organizations)
            answer = asked.request(method, filled(path), headers=bearer(key))
            if question in OPEN and method in answered(path):
                assert answer.status_code == OPEN_ANSWERS[question]
            elif method not in answered(path):
                assert answer.status_code == 405, (role, method)
            else:
                rule = RULES[question]
                barred = role < rule.least or (rule.whole and organizations is not None)
                assert (answer.status_code == 403) == barred, (role, method, answer.text)
                assert answer.status_code != 401


def test_a_route_without_a_rule_is_nobodys(engine: Engine, key_of: KeyOf) -> None:
    app = create_app(engine)
    router = APIRouter()
    router.get("/v1/new/{id}")(lambda: "secret")
    app.include_router(router)
    app.mount("/new", FastAPI())
    client = TestClient(app, headers=bearer(key_of(engine)))
    for path in ("/v1/new/1", "/new/docs"):
        answer = client.get(path)
        assert (answer.status_code, answer.json()["type"]) == (403, "urn:tonnage:problem:no-rule")


@pytest.mark.parametrize(
    ("role", "status"), [("viewer", 403), ("planner", 403), ("operator", 200), ("admin", 200)]
)
def test_lesser_roles_are_told_which_it_takes(
    engine: Engine, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch, role: str, status: int
) -> None:
    monkeypatch.setitem(RULES, "GET /v1/runs/current", Rule(Role.OPERATOR))  # type: ignore[misc]  # ours to bend
    answer = TestClient(create_app(engine), headers=bearer(key_of(engine, role))).get("/v1/runs/current")
    if status == 403:
        assert answer.status_code == 403
        assert "operator" in answer.json()["remedy"]
    else:
        assert answer.status_code == 404, "nothing is published"


def test_sums_over_all_are_not_for_callers_of_some(
    engine: Engine, key_of: KeyOf, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(RULES, "GET /v1/runs/current", Rule(Role.VIEWER, whole=True))  # type: ignore[misc]
    client = TestClient(create_app(engine))
    answer = client.get("/v1/runs/current", headers=bearer(key_of(engine, "admin", ["SÜD"])))
    assert (answer.status_code, answer.json()["detail"]) == (
        403,
        "the answer sums over all organizations, you see: SÜD",
    )
    assert client.get("/v1/runs/current", headers=bearer(key_of(engine, "viewer"))).status_code == 404


class TestQuestions:
    def test_the_first_route_that_matches_has_it_as_in_the_router(self) -> None:
        app = FastAPI(openapi_url=None)
        app.get("/runs/{id}")(lambda: 1)
        app.get("/runs/current")(lambda: 2)
        app.post("/runs/current")(lambda: 3)
        questions = Questions(app)
        assert questions.asked("GET", "/runs/current") == "GET /runs/{id}"
        assert questions.asked("POST", "/runs/current") == "POST /runs/current"


class TestKeys:
    def test_form(self) -> None:
        key = new_key(lambda length: bytes(range(length)))
        assert str(key) == "tng_000102030405_" + bytes(range(32)).hex()
        assert read_key(str(key)) == key
        assert key.secret not in repr(key)

    def test_holder(self, engine: Engine, key_of: KeyOf) -> None:
        text = key_of(engine, "planner", ["NORD", "SÜD"])
        caller = Callers(engine, None).look_up(text, 0)
        key_id = text.split("_")[1]
        assert caller == Caller(f"planner {key_id}", Role.PLANNER, frozenset({"NORD", "SÜD"}), key_id)

    def test_nothing_of_the_secret_is_stored(self, engine: Engine, key_of: KeyOf) -> None:
        secret = key_of(engine).split("_")[2]
        (stored,) = list_keys(engine)
        assert secret not in repr(stored)
        assert stored.secret_hash not in (secret.encode(), bytes.fromhex(secret))

    def test_a_revoked_key_is_known_by_heart_for_five_seconds_at_most(
        self, engine: Engine, key_of: KeyOf
    ) -> None:
        text, callers = key_of(engine), Callers(engine, None)
        caller = callers.look_up(text, 100.0)
        with engine.begin() as connection:
            revoke_key(connection, text.split("_")[1])
        assert MEMORY_SECONDS <= 5
        assert callers.remembered(text, 100 + MEMORY_SECONDS - 0.001) == caller
        assert callers.remembered(text, 100 + MEMORY_SECONDS) is None
        with pytest.raises(KeyOver, match="revoked"):
            callers.look_up(text, 100 + MEMORY_SECONDS)
        assert callers.remembered(text[:-1], 100.0) is None

    def test_what_is_wrong_is_told_to_whoever_holds_the_secret_only(
        self, engine: Engine, key_of: KeyOf
    ) -> None:
        text, callers = key_of(engine, expires_at=LONG_AGO), Callers(engine, None)
        with pytest.raises(KeyOver, match="expired on 2020-01-01"):
            callers.look_up(text, 0)
        with pytest.raises(UnknownKey):
            callers.look_up(text[:-64] + "0" * 64, 0)

    def test_last_use_is_noted_once_a_minute(self, engine: Engine, key_of: KeyOf) -> None:
        text, callers = key_of(engine), Callers(engine, None)
        key_id = text.split("_")[1]
        assert (found := find_key(engine, key_id)) is not None
        assert (found.last_used_at, found.use_unnoted) == (None, True)
        callers.look_up(text, 0)
        assert (noted := find_key(engine, key_id)) is not None
        assert (noted.last_used_at is None, noted.use_unnoted) == (False, False)
        note_use(engine, key_id)
        assert find_key(engine, key_id) == noted
        with engine.begin() as connection:
            connection.exec_driver_sql("update api_key set last_used_at = last_used_at - interval '61 s'")
        callers.look_up(text, 10)
        assert (later := find_key(engine, key_id)) is not None
        assert later.last_used_at is not None
        assert later.last_used_at > noted.last_used_at  # type: ignore[operator]  # not None, as seen above
